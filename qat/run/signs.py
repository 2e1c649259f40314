"""Signs of a run: open ones are decided by all images of its calibration.

The float network's minima are looked at once for all runs that see the same images.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import nn

from qat.base.atomic import write_atomic
from qat.base.progress import tracked
from qat.config.modes import is_static
from qat.convert.clipped import watching_signs
from qat.convert.signs import tensor_minima
from qat.core.plan import Plan
from qat.records.cache import Cache
from qat.run.calibration import calibration_batches, calibration_key
from qat.run.prepare import Prepared


def decided_plan(prepared: Prepared, net: nn.Module, digest: str) -> Plan:
    """The plan of a float network, its open signs decided by what calibration will see.

    Args:
        prepared: The request.
        net: The float network.
        digest: Of its checkpoint.
    """
    plan = prepared.plan(net)
    if not is_static(prepared.config) or not _may_be_negative(prepared, plan):
        return plan
    return prepared.plan(net, _calibration_minima(prepared, net, digest))


@contextmanager
def noted_signs(qnet: nn.Module, stage: str, notes: list[str]) -> Iterator[None]:
    """Note which unsigned codes meet negative values while a network runs, each layer once."""
    with watching_signs(qnet) as clipped:
        yield
    notes += [f"{stage}: {clip}" for clip in clipped]


def _may_be_negative(prepared: Prepared, plan: Plan) -> bool:
    """Whether the few images of the first plan alone have decided that a tensor is not."""
    assert prepared.scheme is not None
    specs = [layer.act for layer in plan.layers.values()]
    specs += [tensor.spec for tensor in plan.tensors.values()]
    return any(spec.symmetric and spec.signed is False for spec in specs if not spec.is_off)


def _calibration_minima(prepared: Prepared, net: nn.Module, digest: str) -> dict[str, float]:
    placement = prepared.config.scheme.placement

    def make(path: Path) -> None:
        batches = calibration_batches(prepared, prepared.images_at_once)
        minima = tensor_minima(net, placement, tracked("signs", batches))
        write_atomic(path, json.dumps(minima))

    key = {**calibration_key(prepared, digest), "placement": placement}
    cache = Cache(Path(prepared.config.paths.cache))
    path = cache.get_or_make("minima", key, make, suffix=".json")
    minima: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return minima
