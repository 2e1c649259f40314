"""Figures of a run's choice of widths, from its files."""

from collections.abc import Sequence

from qat.records.side_files.allocation import AllocationFile, SlotWidth
from qat.records.side_files.sensitivity import SensitivityFile
from qat.tracking.figures.prediction import front_figure, prediction_figure
from qat.tracking.figures.sensitivity import sensitivity_figure
from qat.tracking.figures.style import Figure

KINDS = {"weight": "weights", "act": "inputs"}


def allocation_figures(
    allocation: AllocationFile, sensitivity: SensitivityFile, top1: float
) -> dict[str, Figure]:
    """Sensitivity with the bits over it, and prediction against measurement.

    Args:
        allocation: What the run's ``allocation.json`` holds.
        sensitivity: What its ``sensitivity.json`` holds.
        top1: What the run came to.
    """
    figures = {
        f"sensitivity_{words}": figure
        for kind, words in KINDS.items()
        if (figure := _sensitivity(sensitivity, allocation.slots, kind)) is not None
    }
    if front := allocation.front:
        figures["front"] = front_figure(
            [point.weight_bytes for point in front],
            [point.predicted_harm for point in front],
            allocation.unit,
        )
    if (check := allocation.check) is not None:
        plans = check.plans
        # The prediction is of calibrated plans: of a trained run there is no such point.
        chosen = None if allocation.trained else (allocation.predicted_harm, top1)
        figures["prediction"] = prediction_figure(
            [plan.harm for plan in plans],
            [plan.top1 for plan in plans],
            chosen,
            allocation.unit,
            f"{allocation.metric}: {len(plans)} random plans",
        )
    return figures


def _sensitivity(table: SensitivityFile, slots: Sequence[SlotWidth], kind: str) -> Figure | None:
    """Scores at the narrowest width that was tried, of one kind of slots."""
    rows = [row for row in table.rows if row.slot == kind]
    if not rows:
        return None
    narrowest = min(row.bits for row in rows)
    scores = {row.layer: row.score for row in rows if row.bits == narrowest}
    bits = {slot.layer: slot.bits for slot in slots if slot.slot == kind}
    layers = [layer for layer in scores if layer in bits]
    if not layers:
        return None
    words = f"at {narrowest} bits"
    unit = f"{table.metric} {words}, {table.unit}" if table.unit else f"{table.metric} {words}"
    return sensitivity_figure(layers, [scores[n] for n in layers], [bits[n] for n in layers], unit)
