"""The stages of the float network."""

import pytest
import torch

from qat.base.reading import file_digest
from qat.models.checkpoint import save_checkpoint
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.run.stages.float import float_figures_stage, float_stage
from qat.run.state import RunState
from tests.run.networks import Small


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "net.safetensors"
    save_checkpoint(Small(3, 3, 8), path, ((0.5,) * 3, (0.25,) * 3))
    return path


@pytest.fixture
def state(make_prepared, checkpoint):
    prepared = make_prepared("qat", model__checkpoint=str(checkpoint))
    record = RunRecord(prepared.id, "running", "qat", 0)
    return RunState(prepared, RunFolder(prepared.folder).create(), record, verbose=False)


def test_the_network_is_loaded_and_evaluated(state, checkpoint):
    protocol = float_stage(state).protocol
    assert protocol["float"]["checkpoint_digest"] == file_digest(checkpoint)
    assert protocol["training"]["kernel"] == "eager"
    assert protocol["data"] == state.prepared.protocol["data"]
    assert not state.net.training
    with torch.no_grad():
        images = state.prepared.data.preprocess(state.prepared.data.test.images)
        torch.testing.assert_close(state.float_logits, state.net(images))
    assert state.record.environment["threads"] == torch.get_num_threads()
    assert state.results.seconds.keys() == {"float", "float_evaluation"}


def test_a_float_run_has_its_accuracies_twice_and_its_size(make_state):
    state = make_state("float")
    metrics = float_figures_stage(state).metrics
    right = state.float_logits.argmax(1) == state.prepared.data.test.labels
    assert metrics["top1"] == metrics["float_top1"] == pytest.approx(float(right.float().mean()))
    assert metrics["loss"] == metrics["float_loss"]
    parameters = sum(tensor.numel() for tensor in state.net.parameters())
    assert metrics["float_bytes"] > 4 * parameters
