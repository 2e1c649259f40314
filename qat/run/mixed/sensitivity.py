"""Sensitivities of a run's layers: measured once for all equal requests, saved row by row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from qat.base.errors import InputError
from qat.base.progress import tracked
from qat.base.target import load_target
from qat.config.schema import SensitivityConfig
from qat.core.plan import Plan
from qat.run.cache_keys import CacheKeys
from qat.run.float_network import FloatNetwork
from qat.run.mixed.request import MixedRequest
from qat.run.mixed.resumable_table import resumable_table
from qat.sensitivity.cache_key import sensitivity_digest
from qat.sensitivity.measure import sensitivities
from qat.sensitivity.metrics import Metric
from qat.sensitivity.registry import metric_of
from qat.sensitivity.table import SensitivityRow, SensitivityTable


def run_sensitivity(request: MixedRequest, source: FloatNetwork, plan: Plan) -> SensitivityTable:
    """The run's sensitivities: from the user's file, from the cache, or measured.

    Args:
        request: How widths are chosen.
        source: The float network.
        plan: The scheme's plan.

    Raises:
        ValueError: If the user's table belongs to another network, or a score is NaN.
    """
    settings = request.sensitivity
    batches = list(request.sensitivity_images)
    digest = sensitivity_digest(source.net, plan, batches, batches)
    if settings.table is not None:
        table = _read(Path(settings.table))
        table.check(digest)
        return table
    metric = run_metric(settings)

    def measure(**resumed: Any) -> SensitivityTable:
        limit = request.memory_limit_bytes
        return _measure(
            settings, source.net, plan, batches, metric, memory_limit_bytes=limit, **resumed
        )

    def resume(
        done: list[SensitivityRow], keep: Callable[[SensitivityRow], None]
    ) -> SensitivityTable:
        return measure(done={metric.name: done}, keep=lambda _, row: keep(row))

    if settings.target is not None:  # a user's metric: what its result depends on is unknown
        return measure()
    cache, key = request.calibration.cache, _key(settings, digest, request.calibration.keys)
    return resumable_table(cache, "sensitivity", key, resume, SensitivityTable, SensitivityRow)


def _read(path: Path) -> SensitivityTable:
    try:
        return SensitivityTable.load(path)
    except (ValueError, AttributeError) as error:
        raise InputError(f"sensitivity.table={path}: {error}") from error


def run_metric(settings: SensitivityConfig) -> Metric:
    """The run's metric: by name, or the user's.

    Raises:
        ValueError: If the user's target is no metric.
    """
    if settings.target is None:
        return metric_of(settings.metric)
    target = load_target(settings.target)
    if isinstance(target, Metric):
        return target
    if callable(target):
        return Metric(settings.target.rpartition(":")[2], "", score=target)
    raise InputError(
        f"sensitivity.target={settings.target} must be a function of (float logits, logits, "
        "labels) or a qat.sensitivity.metrics.Metric"
    )


def _key(settings: SensitivityConfig, digest: str, keys: CacheKeys) -> dict[str, Any]:
    fields = {name: getattr(settings, name) for name in ("metric", "widths", "slots", "hessian")}
    return {"of": digest, **fields, **keys.machine()}


def _measure(
    settings: SensitivityConfig,
    net: nn.Module,
    plan: Plan,
    batches: list[tuple[Tensor, Tensor]],
    metric: Metric,
    **resumed: Any,
) -> SensitivityTable:
    tables = sensitivities(
        net,
        plan,
        batches,
        [metric],
        settings.widths,
        slots=settings.slots,
        track=lambda items: tracked(f"sensitivity ({metric.name})", items),
        hessian=settings.hessian,
        **resumed,
    )
    return tables[metric.name]
