"""Scores of a whole plan, and of the plans that differ from it in one width.

A table of single sensitivities starts from the float network. Here every tensor has its planned
width, and one of them takes another: the score says what this change does to the plan.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.base.progress import Track
from qat.core.plan import Plan
from qat.sensitivity.metrics import Metric
from qat.sensitivity.output_scores import check_finite, reference_and_runner
from qat.sensitivity.prefix import MEMORY_LIMIT_BYTES
from qat.sensitivity.rounded_values import LabelledBatch
from qat.sensitivity.single_quantizer import Fitted
from qat.sensitivity.table import SensitivityRow
from qat.sensitivity.widths import FLOAT_BITS, Bits, Slot, slots_of, spec_of

Choice = tuple[tuple[Slot, ...], Sequence[int]]
"""Slots that take the same width, and their candidates."""


class PlanScores:
    """Scores plans by one metric, on a host with quantizers of all widths.

    Args:
        fitted: Host and quantizers, also at the plan's own widths.
        plan: Widths of the slots that are not chosen.
        metric: A metric that reads the outputs.
        batches: ``(images, labels)``.
        reuse: False runs the whole network each time: for comparison.
        memory_limit_bytes: How much of the activations before a layer may be kept.

    Raises:
        ValueError: If the metric reads no outputs, or the float network's logits are not finite.
    """

    def __init__(
        self,
        fitted: Fitted,
        plan: Plan,
        metric: Metric,
        batches: Sequence[LabelledBatch],
        *,
        reuse: bool = True,
        memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
    ) -> None:
        if metric.score is None:
            raise InputError(
                f"metric {metric.name} reads no outputs, so that it cannot score a whole plan: "
                "take output_kl, output_sqnr, loss_increase or accuracy_drop"
            )
        self._score, self._fitted = metric.score, fitted
        self._planned = {slot: spec_of(plan, slot).stored_bits for slot in slots_of(plan)}
        tasks = [((layer, kind), bits) for layer, kind, bits in fitted.quantizers]
        self._reference, self._runner = reference_and_runner(
            fitted, tasks, batches, reuse=reuse, memory_limit_bytes=memory_limit_bytes
        )
        self._labels = torch.cat([labels for _, labels in batches])

    def score(self, bits: Bits) -> float:
        """The score of the network with a plan, in the unit of the metric.

        Args:
            bits: Slot → width; the other slots keep the plan's widths.

        Raises:
            ValueError: If logits are not finite.
        """
        with self._placed(bits):
            return self._measured("", "a plan")

    def neighbours(
        self,
        bits: Bits,
        choices: Sequence[Choice],
        *,
        done: Iterable[SensitivityRow] = (),
        keep: Callable[[SensitivityRow], None] | None = None,
        track: Track | None = None,
    ) -> list[SensitivityRow]:
        """The score of every plan that differs in the width of one choice.

        Args:
            bits: The plan in the middle.
            choices: What may change. A row has the name of the first slot of its choice; the
                plan's own width has no row.
            done: Rows that an earlier run kept. They are not measured again.
            keep: Called with each new row as soon as it is known.
            track: Wraps the list of runs to show progress.

        Raises:
            ValueError: If logits are not finite, or a score is NaN.
        """
        rows = {(row.layer, row.slot, row.bits): row for row in done}
        runs = [
            (slots, width)
            for slots, width in self._in_order(bits, choices)
            if (*slots[0], width) not in rows
        ]
        with self._placed(bits):
            for slots, width in track(runs) if track else runs:
                layer, kind = slots[0]
                row = SensitivityRow(layer, kind, width, self._changed(slots, width))
                rows[layer, kind, width] = row
                if keep is not None:
                    keep(row)
        return [
            rows[*slots[0], width]
            for slots, widths in choices
            for width in widths
            if width != bits[slots[0]]
        ]

    def _in_order(
        self, bits: Bits, choices: Sequence[Choice]
    ) -> list[tuple[tuple[Slot, ...], int]]:
        paths = self._runner.order(self._paths(list(self._fitted.sites)))
        runs = [
            (slots, width)
            for slots, widths in choices
            for width in widths
            if width != bits[slots[0]]
        ]
        return sorted(runs, key=lambda run: (self._first(run[0], paths), run[0], run[1]))

    def _paths(self, slots: Sequence[Slot]) -> list[str]:
        sites = self._fitted.sites
        return list(dict.fromkeys(sites[slot].path for slot in slots if slot in sites))

    def _first(self, slots: Sequence[Slot], paths: Sequence[str]) -> int:
        return min(paths.index(path) for path in self._paths(slots))

    def _changed(self, slots: Sequence[Slot], width: int) -> float:
        first = self._runner.order(self._paths(slots))[0]
        with ExitStack() as stack:
            for slot in slots:
                self._place(stack, slot, width)
            return self._measured(first, f"{slots[0][0]} ({slots[0][1]}) in {width} bits")

    @contextmanager
    def _placed(self, bits: Mapping[Slot, int]) -> Iterator[None]:
        """The whole plan, during the block."""
        with ExitStack() as stack:
            for slot in self._fitted.sites:
                self._place(stack, slot, bits.get(slot, self._planned[slot]))
            self._runner.forget()
            yield

    def _place(self, stack: ExitStack, slot: Slot, width: int) -> None:
        if slot in self._fitted.sites:
            stack.enter_context(self._fitted.placed(self._runner.net, slot, width))

    def _measured(self, path: str, what: str) -> float:
        logits: Tensor = self._runner.outputs(path)
        check_finite(logits, f"the network with {what}")
        return self._score(self._reference, logits, self._labels)


def widths_needed(plan: Plan, widths: Sequence[int]) -> list[int]:
    """The candidates and the plan's own widths: all that a whole plan may have.

    Args:
        plan: Of the network.
        widths: Candidates.
    """
    own = {spec_of(plan, slot).stored_bits for slot in slots_of(plan)}
    return sorted(own.union(widths) - {FLOAT_BITS})
