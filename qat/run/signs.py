"""Signs of a run: open ones are decided by all images of its calibration.

The float network's minima are looked at once for all runs that see the same images.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torch import nn

from qat.base.atomic import write_atomic
from qat.base.progress import tracked
from qat.convert.clipped import watching_signs
from qat.convert.rules import make_plan
from qat.convert.signs import tensor_minima
from qat.core.plan import Plan
from qat.core.scheme import Scheme
from qat.run.calibration import Calibration
from qat.run.float_network import FloatNetwork


def decided_plan(calibration: Calibration, scheme: Scheme, source: FloatNetwork) -> Plan:
    """The plan of a float network, its open signs decided by the calibration images.

    Dynamic ranges are those of each batch, so no sign is decided ahead.

    Args:
        calibration: Of the run.
        scheme: How the network is quantized.
        source: The float network.
    """
    example = calibration.images.example()
    plan = make_plan(source.net, scheme, example)
    if calibration.is_dynamic or not _may_be_negative(plan):
        return plan
    # The few images of the first plan gave a tensor unsigned codes; all images must confirm it.
    return make_plan(source.net, scheme, example, _minima(calibration, scheme, source))


@contextmanager
def noted_signs(qnet: nn.Module, stage: str, notes: list[str]) -> Iterator[None]:
    """Note which unsigned codes meet negative values while a network runs, each layer once.

    Args:
        qnet: The quantized network.
        stage: A word in front of each line.
        notes: Takes the lines.
    """
    with watching_signs(qnet) as clipped:
        yield
    notes += [f"{stage}: {clip}" for clip in clipped]


def _may_be_negative(plan: Plan) -> bool:
    """Whether any tensor has unsigned symmetric codes."""
    specs = [layer.act for layer in plan.layers.values()]
    specs += [tensor.spec for tensor in plan.tensors.values()]
    return any(spec.symmetric and spec.signed is False for spec in specs if not spec.is_off)


def _minima(calibration: Calibration, scheme: Scheme, source: FloatNetwork) -> Mapping[str, float]:
    """Tensor → its smallest value on all calibration images."""

    def make(path: Path) -> None:
        batches = calibration.batches(calibration.images.at_once)
        minima = tensor_minima(source.net, scheme.placement, tracked("signs", batches))
        write_atomic(path, json.dumps(minima))

    key = {**calibration.keys.calibration(source.digest), "placement": scheme.placement}
    path = calibration.cache.get_or_make("minima", key, make, suffix=".json")
    minima: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return minima
