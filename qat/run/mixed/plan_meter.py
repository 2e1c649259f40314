"""Harms of whole plans (``allocate=clado``, ``allocate=remeasure``), measured once."""

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from qat.allocate.problem import Problem
from qat.base.progress import tracked
from qat.run.mixed.candidates import Candidates
from qat.run.mixed.resumable_table import resumable_table
from qat.run.mixed.sensitivity import run_metric
from qat.sensitivity.around import PlanScores, widths_needed
from qat.sensitivity.single_quantizer import fit_quantizers
from qat.sensitivity.table import (
    SensitivityRow,
    SensitivityTable,
    harm_of,
    plain_score,
    read_score,
)
from qat.sensitivity.widths import Bits, Slot, spec_of


class PlanMeter:
    """Measures plans, and the plans that differ in one variable, by the sensitivity metric.

    Ranges come from the run's own calibration images, so that the measured network is the one that
    the run goes on with. (Ranges from the images that are measured on would flatter a plan.)

    Args:
        choice: The free slots, and the plan of the others.
        problem: The variables and their candidates.
        table: Sensitivities of single tensors, of the same network, data and methods.
        images: Number of training images to measure on; None: the sensitivity images.
    """

    def __init__(
        self,
        choice: Candidates,
        problem: Problem,
        table: SensitivityTable,
        images: int | None = None,
    ) -> None:
        self._choice, self._problem, self._digest = choice, problem, table.digest
        self._images = images
        self._metric = run_metric(choice.request.sensitivity)
        self._cached = choice.request.sensitivity.target is None

    def harm(self, bits: Bits) -> float:
        """The measured harm of a plan.

        Raises:
            ValueError: If logits are not finite.
        """
        if not self._cached:  # a user's metric: what its result depends on is unknown
            return self._harm(self._scores.score(bits))

        def make(path: Path) -> None:
            score = plain_score(self._scores.score(bits))
            path.write_text(json.dumps(score) + "\n", encoding="utf-8")

        cache = self._choice.request.calibration.cache
        path = cache.get_or_make("plan_scores", self._key(bits), make, suffix=".json")
        return self._harm(read_score(json.loads(path.read_text(encoding="utf-8"))))

    def harms_around(self, bits: Bits) -> dict[Slot, dict[int, float]]:
        """First slot of each variable → width → measured harm of the plan with that change.

        Raises:
            ValueError: If logits are not finite, or a score is NaN.
        """
        table = self._table(bits)
        harms: dict[Slot, dict[int, float]] = {}
        for row in table.rows:
            harms.setdefault((row.layer, row.slot), {})[row.bits] = self._harm(row.score)
        return harms

    def _table(self, bits: Bits) -> SensitivityTable:
        def measure(
            done: list[SensitivityRow], keep: Callable[[SensitivityRow], None] | None
        ) -> SensitivityTable:
            choices = [(own.slots, own.widths) for own in self._problem.variables]
            rows = self._scores.neighbours(
                bits,
                choices,
                done=done,
                keep=keep,
                track=lambda items: tracked(f"around the plan ({self._metric.name})", items),
            )
            metric = self._metric
            return SensitivityTable(
                metric.name, metric.unit, metric.higher_is_worse, self._digest, tuple(rows)
            )

        if not self._cached:
            return measure([], None)
        choices = [[list(own.slots[0]), list(own.widths)] for own in self._problem.variables]
        key = self._key(bits) | {"choices": choices}
        cache = self._choice.request.calibration.cache
        return resumable_table(
            cache, "around_plans", key, measure, SensitivityTable, SensitivityRow
        )

    @cached_property
    def _scores(self) -> PlanScores:
        """Only if something must be measured: it calibrates quantizers of all widths."""
        request, plan = self._choice.request, self._choice.base
        calibration = request.calibration
        count = request.sensitivity.images if self._images is None else self._images
        batches = list(request.drawn(count))
        ranges = [calibration.images.example()] if calibration.is_dynamic else calibration.batches()
        widths = widths_needed(plan, request.sensitivity.widths)
        fitted = fit_quantizers(self._choice.source.net, plan, widths, ranges)
        limit = request.memory_limit_bytes
        return PlanScores(fitted, plan, self._metric, batches, memory_limit_bytes=limit)

    def _harm(self, score: float) -> float:
        return harm_of(score, self._metric.unit, self._metric.higher_is_worse)

    def _key(self, bits: Bits) -> dict[str, Any]:
        """Of a plan: the digest has no widths, so that those of all slots are in the key."""
        keys = self._choice.request.calibration.keys
        return {
            **keys.calibration(self._choice.source.digest),
            "of": self._digest,
            "metric": self._metric.name,
            "plan": self._choice.with_widths(bits).to_dict(),
            **keys.machine(),
            **({} if self._images is None else {"images": self._images}),
        }


def uniform_plans(choice: Candidates, problem: Problem) -> list[dict[Slot, int]]:
    """The scheme's own widths, and every candidate width in all free slots.

    Args:
        choice: The free slots, and the scheme's plan.
        problem: The variables and their candidates.
    """
    planned = [spec_of(choice.base, v.slots[0]).stored_bits for v in problem.variables]
    plans = [problem.bits(planned)]
    for width in sorted(choice.request.sensitivity.widths):
        widths = [width if width in v.widths else v.widths[0] for v in problem.variables]
        plans.append(problem.bits(widths))
    return plans
