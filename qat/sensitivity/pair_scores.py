"""Scores of a network in which two tensors are quantized together, for every pair of tensors.

The first tensor of a pair stays quantized while the second one moves through the network in
execution order, so that only the layers behind the second one run again. Scores are equal to those
of whole runs, bit for bit.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.base.progress import Track
from qat.core.plan import Plan
from qat.sensitivity.cache_key import sensitivity_digest
from qat.sensitivity.measure import each_tensor_once
from qat.sensitivity.metrics import Metric, Score
from qat.sensitivity.output_scores import check_finite, reference_and_runner
from qat.sensitivity.pairs import PairRow, PairTable
from qat.sensitivity.prefix import MEMORY_LIMIT_BYTES, Runner
from qat.sensitivity.rounded_values import LabelledBatch
from qat.sensitivity.scores import Task
from qat.sensitivity.single_quantizer import Fitted, fit_quantizers
from qat.sensitivity.widths import FLOAT_BITS, Slot, check_widths

PairTask = tuple[Task, Task]


def pair_sensitivities(
    net: nn.Module,
    plan: Plan,
    batches: Iterable[LabelledBatch],
    metrics: Sequence[Metric],
    widths: Sequence[int],
    slots: Sequence[Slot],
    *,
    reach: int | None = None,
    done: Iterable[PairRow] = (),
    keep: Callable[[PairRow], None] | None = None,
    announce: Callable[[int], None] | None = None,
    track: Track | None = None,
    reuse: bool = True,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
) -> PairTable:
    """Quantize two tensors, measure, restore; for every two tensors and their widths.

    With n tensors of b widths below float there are ``n (n - 1) / 2 * b^2`` forward passes. A
    tensor that stays float changes nothing, so that its pairs are not measured.

    Args:
        net: The float network; it is left as it is.
        plan: Methods and layouts; its widths do not matter.
        batches: ``(images, labels)`` to calibrate with and to measure on.
        metrics: Metrics that read the outputs; each run gives the scores by all of them.
        widths: Candidates.
        slots: The tensors to pair, in execution order.
        reach: Pair only tensors of layers at most so many layers apart; None pairs all.
        done: Rows that an earlier run kept. They are not measured again.
        keep: Called with each row as soon as it is known.
        announce: Called once, before the first pass, with the number of passes.
        track: Wraps the list of passes to show progress.
        reuse: False runs the whole network each time: for comparison.
        memory_limit_bytes: How much of the activations before a layer may be kept.

    Raises:
        ValueError: If a metric reads no outputs, logits are not finite, or a score is NaN.
    """
    scores = {metric.name: _score_of(metric) for metric in metrics}
    candidates, measured = check_widths(widths, plan.placement), list(batches)
    narrow = [bits for bits in candidates if bits != FLOAT_BITS]
    tasks = pair_tasks(each_tensor_once(net, plan, list(slots)), narrow, reach)
    rows = {_unordered(row): row for row in done}
    missing = [task for task in tasks if frozenset(task) not in rows]
    if announce is not None:
        announce(len(missing))
    if missing:
        fitted = fit_quantizers(net, plan, narrow, measured)
        kept = {"reuse": reuse, "memory_limit_bytes": memory_limit_bytes}
        with closing(
            _measured_rows(fitted, missing, measured, scores, track, kept)
        ) as measurements:
            for row in measurements:
                rows[_unordered(row)] = row
                if keep is not None:
                    keep(row)
    digest = sensitivity_digest(net, plan, measured, measured)
    return PairTable(digest, tuple(_row(*task, rows[frozenset(task)].scores) for task in tasks))


def _score_of(metric: Metric) -> Score:
    if metric.score is None:
        raise InputError(
            f"metric {metric.name} reads no outputs, so that it cannot score two tensors together: "
            "take output_kl, output_sqnr, loss_increase or accuracy_drop"
        )
    return metric.score


def _measured_rows(
    fitted: Fitted,
    tasks: Sequence[PairTask],
    batches: Sequence[LabelledBatch],
    scores: Mapping[str, Score],
    track: Track | None,
    kept: Mapping[str, Any],
) -> Generator[PairRow, None, None]:
    """Each pair with its scores; ``kept`` says what a runner keeps of earlier layers."""
    singles = {single for task in tasks for single in task}
    reference, runner = reference_and_runner(fitted, singles, batches, **kept)
    runs = _in_order(runner, fitted, tasks)
    labels = torch.cat([own for _, own in batches])
    with closing(_logits_of_pairs(runner, fitted, track(runs) if track else runs)) as outputs:
        for task, logits in outputs:
            yield _row(*task, {n: score(reference, logits, labels) for n, score in scores.items()})


def _logits_of_pairs(
    runner: Runner, fitted: Fitted, runs: Iterable[PairTask]
) -> Generator[tuple[PairTask, Tensor], None, None]:
    """Each pair with the outputs of the network; the first tensor of a group is placed once."""
    for first, group in groupby(runs, key=lambda run: run[0]):
        runner.forget()
        with fitted.placed(runner.net, *first):
            for _, second in group:
                yield (first, second), _logits(runner, fitted, first, second)


def pair_tasks(slots: Sequence[Slot], widths: Sequence[int], reach: int | None) -> list[PairTask]:
    """Every two tensors at every two widths.

    Args:
        slots: In execution order of their layers.
        widths: Of each tensor.
        reach: Largest distance of the layers; None is no limit.

    Example:
        >>> slots = [("a", "weight"), ("b", "weight"), ("c", "weight")]
        >>> len(pair_tasks(slots, [2, 4], None)), len(pair_tasks(slots, [2, 4], reach=1))
        (12, 8)
    """
    places = {name: place for place, name in enumerate(dict.fromkeys(name for name, _ in slots))}
    return [
        ((one, bits), (other, other_bits))
        for index, one in enumerate(slots)
        for other in slots[index + 1 :]
        if reach is None or places[other[0]] - places[one[0]] <= reach
        for bits in widths
        for other_bits in widths
    ]


def _in_order(runner: Runner, fitted: Fitted, tasks: Sequence[PairTask]) -> list[PairTask]:
    """Tasks in which the tensor that is read first comes first; ordered by both tensors."""
    paths = runner.order(list(dict.fromkeys(site.path for site in fitted.sites.values())))
    places = {path: place for place, path in enumerate(paths)}

    def rank(task: Task) -> tuple[int, str, str, int]:
        (layer, kind), bits = task
        return (places[fitted.sites[layer, kind].path], layer, kind, bits)

    ordered = [(a, b) if rank(a) <= rank(b) else (b, a) for a, b in tasks]
    return sorted(ordered, key=lambda task: (rank(task[0]), rank(task[1])))


def _logits(runner: Runner, fitted: Fitted, first: Task, second: Task) -> torch.Tensor:
    with fitted.placed(runner.net, *second):
        logits = runner.outputs(fitted.sites[second[0]].path)
    names = (f"{layer} ({kind}) in {bits} bits" for (layer, kind), bits in (first, second))
    check_finite(logits, f"the network with {' and '.join(names)}")
    return logits


def _row(first: Task, second: Task, scores: Mapping[str, float]) -> PairRow:
    return PairRow(*first[0], first[1], *second[0], second[1], scores)


def _unordered(row: PairRow) -> frozenset[Task]:
    one, bits, other, other_bits = row.pair
    return frozenset(((one, bits), (other, other_bits)))
