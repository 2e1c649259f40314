"""The float network: it is trained or loaded, and evaluated on the test set."""

from typing import Any

import torch

from qat.cost.size import float_file_bytes
from qat.models.memory_format import format_of_network
from qat.records.environment import environment_facts
from qat.run.float_network import FloatNetwork, float_logits, float_network
from qat.run.kernel import chosen_kernel
from qat.run.prepared import Prepared
from qat.run.results import FLOAT_FIGURES, accuracies
from qat.run.stage_result import StageResult, merge_parts
from qat.run.state import RunState


def float_stage(state: RunState) -> StageResult:
    """Train or load the float network, and complete the protocol."""
    prepared = state.prepared
    with state.stage("float"):
        state.source = float_network(prepared)
        state.net.eval()
    with state.stage("float_evaluation"):
        state.float_logits = float_logits(prepared, state.source)
    environment = {**state.record.environment, **environment_facts(torch.get_num_threads())}
    state.record = state.record.move_to("running", environment=environment)
    return StageResult(protocol=_protocol(prepared, state.source))


def float_figures_stage(state: RunState) -> StageResult:
    """Accuracy and size of the float network, for a run that quantizes nothing."""
    measured = accuracies(state.float_logits, state.prepared.images.labels)
    metrics = {f"float_{name}": measured[name] for name in FLOAT_FIGURES if name in measured}
    return StageResult(measured | metrics | {"float_bytes": float_file_bytes(state.net)})


def _protocol(prepared: Prepared, source: FloatNetwork) -> dict[str, dict[str, Any]]:
    """The protocol with the fields that the float network decides."""
    decided: dict[str, dict[str, Any]] = {
        "float": {"checkpoint_digest": source.digest},
        "evaluation": {"memory_format": format_of_network(source.net)},
    }
    if prepared.mode.trains:
        decided["training"] = {"kernel": chosen_kernel(prepared, source.net)}
    return merge_parts(prepared.protocol, decided)
