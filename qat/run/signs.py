"""Signed or unsigned codes: where the scheme leaves it open, all calibration images decide.

The minima of the float network's tensors are measured once for all runs with the same images.
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


def plan_with_signs(calibration: Calibration, scheme: Scheme, source: FloatNetwork) -> Plan:
    """Make the plan of a float network; the calibration images decide signed or unsigned codes.

    A dynamic range is measured anew in each batch, so that nothing is decided for it here.

    Args:
        calibration: The run's calibration.
        scheme: How the network is quantized.
        source: The float network.

    Raises:
        KeyError: If a rule of the scheme matches no layer.
    """
    example = calibration.images.example()
    plan = make_plan(source.net, scheme, example)
    if calibration.is_dynamic or not _may_be_negative(plan):
        return plan
    # The first plan gave a tensor unsigned codes by a few images; all images must confirm it.
    return make_plan(source.net, scheme, example, _minima(calibration, scheme, source))


@contextmanager
def note_signs(qnet: nn.Module, stage: str, notes: list[str]) -> Iterator[None]:
    """Note the layers whose unsigned codes get negative values while the block runs.

    Args:
        qnet: The quantized network.
        stage: Name of the stage; each line starts with it.
        notes: Receives one line for each layer.
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
    """Tensor → its smallest value on all calibration images, from the cache if it is there."""

    def make(path: Path) -> None:
        batches = calibration.batches(calibration.images.at_once)
        minima = tensor_minima(source.net, scheme.placement, tracked("signs", batches))
        write_atomic(path, json.dumps(minima))

    key = {**calibration.keys.calibration(source.digest), "placement": scheme.placement}
    path = calibration.cache.get_or_make("minima", key, make, suffix=".json")
    minima: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return minima
