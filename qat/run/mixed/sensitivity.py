"""Sensitivity of a run's layers: computed once for all runs that ask the same, kept row by row."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.base.progress import tracked
from qat.base.target import load_target
from qat.core.plan import Plan
from qat.data.batches import Batches
from qat.data.draw import drawn
from qat.records.cache import Cache
from qat.records.schema import NUMERICS_VERSION
from qat.run.prepare import Prepared
from qat.sensitivity.cache_key import sensitivity_digest
from qat.sensitivity.measure import Keep, sensitivities
from qat.sensitivity.metrics import Metric, metric_of
from qat.sensitivity.table import SensitivityRow, SensitivityTable


def sensitivity_batches(prepared: Prepared) -> Batches:
    """Training images, drawn by ``sensitivity.seed``: the same for all seeds of a run."""
    settings, data = prepared.config.sensitivity, prepared.data
    chosen = drawn(data.training, settings.images, settings.seed)
    at_once = min(settings.batch_size, prepared.images_at_once)
    return Batches(chosen, at_once, data.preprocess)


def run_sensitivity(prepared: Prepared, net: nn.Module, plan: Plan) -> SensitivityTable:
    """The run's table: of the user's file, from the cache, or measured.

    Raises:
        ValueError: If the user's table is of another network, or a score is NaN.
    """
    settings = prepared.config.sensitivity
    batches = list(sensitivity_batches(prepared))
    digest = sensitivity_digest(net, plan, batches, batches)
    if settings.table is not None:
        table = _read(Path(settings.table))
        table.check(digest)
        return table
    metric = _metric(prepared)
    if settings.target is not None:  # nobody knows what the user's code depends on
        return _measure(prepared, net, plan, batches, metric)
    return _cached(prepared, net, plan, batches, metric, digest)


def _read(path: Path) -> SensitivityTable:
    try:
        return SensitivityTable.load(path)
    except (ValueError, AttributeError) as error:
        raise InputError(f"sensitivity.table={path}: {error}") from error


def _metric(prepared: Prepared) -> Metric:
    settings = prepared.config.sensitivity
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


def _cached(
    prepared: Prepared,
    net: nn.Module,
    plan: Plan,
    batches: list[tuple[Tensor, Tensor]],
    metric: Metric,
    digest: str,
) -> SensitivityTable:
    cache = Cache(Path(prepared.config.paths.cache))
    key = _key(prepared, digest)
    beside = cache.path_of("sensitivity", key).with_suffix(".rows.jsonl")

    def make(path: Path) -> None:
        with _kept(beside) as (done, keep):
            table = _measure(
                prepared, net, plan, batches, metric, done={metric.name: done}, keep=keep
            )
        table.save(path)
        beside.unlink(missing_ok=True)

    return SensitivityTable.load(cache.get_or_make("sensitivity", key, make, suffix=".json"))


def _key(prepared: Prepared, digest: str) -> dict[str, Any]:
    settings = asdict(prepared.config.sensitivity)
    kept = ("metric", "widths", "slots", "hessian")
    return {
        "of": digest,
        **{name: settings[name] for name in kept},
        "device": prepared.device.type,
        "threads": torch.get_num_threads(),
        "numerics_version": NUMERICS_VERSION,
    }


def _measure(
    prepared: Prepared,
    net: nn.Module,
    plan: Plan,
    batches: list[tuple[Tensor, Tensor]],
    metric: Metric,
    **resumed: Any,
) -> SensitivityTable:
    settings = prepared.config.sensitivity
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
def _kept(path: Path) -> Iterator[tuple[list[SensitivityRow], Keep]]:
    """Rows that a measurement before this one kept, and a function that keeps another."""
    done = list(_rows(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(map(_line, done)), encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:

        def keep(metric: str, row: SensitivityRow) -> None:
            file.write(_line(row))
            file.flush()

        yield done, keep


def _rows(path: Path) -> Iterable[SensitivityRow]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for line in lines:
        try:
            yield SensitivityRow(**json.loads(line))
        except (ValueError, TypeError):  # cut off while it was written
            return


def _line(row: SensitivityRow) -> str:
    return json.dumps(asdict(row)) + "\n"
