"""Sensitivities of a run's layers: measured once for all equal requests, saved row by row."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from qat.base.errors import InputError
from qat.base.progress import tracked
from qat.base.target import load_target
from qat.config.schema import SensitivityConfig
from qat.core.plan import Plan
from qat.records.cache import Cache
from qat.run.cache_keys import CacheKeys
from qat.run.float_network import FloatNetwork
from qat.run.mixed.request import MixedRequest
from qat.sensitivity.cache_key import sensitivity_digest
from qat.sensitivity.measure import Keep, sensitivities
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
    metric = _metric(settings)

    def measure(**resumed: Any) -> SensitivityTable:
        limit = request.memory_limit_bytes
        return _measure(
            settings, source.net, plan, batches, metric, memory_limit_bytes=limit, **resumed
        )

    if settings.target is not None:  # a user's metric: what its result depends on is unknown
        return measure()
    cache, keys = request.calibration.cache, request.calibration.keys
    return _cached_table(cache, _key(settings, digest, keys), metric.name, measure)


def _read(path: Path) -> SensitivityTable:
    try:
        return SensitivityTable.load(path)
    except (ValueError, AttributeError) as error:
        raise InputError(f"sensitivity.table={path}: {error}") from error


def _metric(settings: SensitivityConfig) -> Metric:
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


def _cached_table(
    cache: Cache, key: dict[str, Any], metric: str, measure: Callable[..., SensitivityTable]
) -> SensitivityTable:
    """The table from the cache, or measured; an interrupted measurement continues."""
    rows_file = cache.path_of("sensitivity", key).with_suffix(".rows.jsonl")

    def make(path: Path) -> None:
        with _open_rows(rows_file) as (done, keep):
            table = measure(done={metric: done}, keep=keep)
        table.save(path)
        rows_file.unlink(missing_ok=True)

    return SensitivityTable.load(cache.get_or_make("sensitivity", key, make, suffix=".json"))


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


@contextmanager
def _open_rows(path: Path) -> Iterator[tuple[list[SensitivityRow], Keep]]:
    """The rows of an interrupted measurement, and a function that saves another row."""
    done = list(_read_rows(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(map(_line, done)), encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:

        def keep(metric: str, row: SensitivityRow) -> None:
            file.write(_line(row))
            file.flush()

        yield done, keep


def _read_rows(path: Path) -> Iterable[SensitivityRow]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for line in lines:
        try:
            yield SensitivityRow(**json.loads(line))
        except (ValueError, TypeError):  # the last line is incomplete
            return


def _line(row: SensitivityRow) -> str:
    return json.dumps(asdict(row)) + "\n"
