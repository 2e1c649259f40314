"""Scores of pairs of tensors (``allocate=clado``): measured once, saved row by row."""

from collections.abc import Callable
from typing import Any

from qat.base.errors import InputError
from qat.base.plurals import counted
from qat.base.printing import complain_line
from qat.base.progress import is_silent, tracked
from qat.run.mixed.candidates import Candidates
from qat.run.mixed.resumable_table import resumable_table
from qat.run.mixed.sensitivity import run_metric
from qat.sensitivity.metrics import Metric
from qat.sensitivity.pair_scores import pair_sensitivities
from qat.sensitivity.pairs import PairRow, PairTable
from qat.sensitivity.registry import OUTPUT_METRICS, metric_of
from qat.sensitivity.table import SensitivityTable

PAIR_OPTIONS = ("psd", "reach")
"""Options of ``allocate=clado`` that say which pairs are measured, and what is made of them."""


def run_pairs(choice: Candidates, table: SensitivityTable) -> PairTable:
    """The pairs of the run's free slots, from the cache or measured on the sensitivity images.

    One measurement scores each pair by all metrics that read the outputs, so that runs which differ
    in the metric share it. Before it starts, it prints on stderr how many forward passes there are.

    Args:
        choice: The free slots.
        table: Sensitivities of single tensors, of the same network, data and methods.

    Raises:
        ValueError: If the table is by another metric, the metric reads no outputs, or logits are
            not finite.
    """
    request, settings = choice.request, choice.request.sensitivity
    metrics = _metrics(run_metric(settings), table)
    reach = request.allocate.options.get("reach")
    batches = list(request.sensitivity_images)

    def measure(done: list[PairRow], keep: Callable[[PairRow], None] | None) -> PairTable:
        return pair_sensitivities(
            choice.source.net,
            choice.base,
            batches,
            metrics,
            settings.widths,
            choice.free,
            reach=reach,
            done=done,
            keep=keep,
            announce=lambda passes: _announce(passes, settings.images),
            track=lambda items: tracked("pairs", items),
            memory_limit_bytes=request.memory_limit_bytes,
        )

    if settings.target is not None:  # a user's metric: what its result depends on is unknown
        return measure([], None)
    key: dict[str, Any] = {
        "of": table.digest,
        "metrics": [each.name for each in metrics],
        "widths": sorted(settings.widths),
        "free": [list(slot) for slot in choice.free],
        "reach": reach,
        **request.calibration.keys.machine(),
    }
    return resumable_table(request.calibration.cache, "pairs", key, measure, PairTable, PairRow)


def _announce(passes: int, images: int) -> None:
    if passes and not is_silent():
        complain_line(
            f"allocate=clado: {passes:,} forward passes over {counted(images, 'image', ',')}, one "
            "for each pair of tensors and widths that is not measured yet"
        )


def _metrics(metric: Metric, table: SensitivityTable) -> list[Metric]:
    """The metrics that one measurement gives: all that read the outputs, if it is one of ours."""
    if table.metric != metric.name:
        raise InputError(
            f"sensitivity.table is by {table.metric}, and pairs are measured by "
            f"sensitivity.metric={metric.name}: set sensitivity.metric={table.metric}, or leave "
            "the table out"
        )
    names = OUTPUT_METRICS if metric.name in OUTPUT_METRICS else ()
    return [metric_of(name) for name in names] or [metric]
