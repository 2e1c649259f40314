"""The content of a run's parity and latency files, as lines. Loads no torch."""

from collections.abc import Sequence

from qat.base.plurals import counted
from qat.export.reference.accumulators import ACCUMULATOR_BITS
from qat.export.runtimes.labels import HALF, HALF_SIMULATED, SIZE_ONLY
from qat.records.side_files.latency import LatencyFile
from qat.records.side_files.parity import AccumulatorWidth, ParityFile, RuntimeExecution

_CAUSES = {
    "ties": "with the same input codes every layer agrees; the differences are ties that spread",
    "operator": "an operator computes another result",
    "logits": "the logits differ too much",
}
"""Cause of a verdict (:mod:`qat.export.parity.verdict`) → text. Older runs have no cause."""


def parity_lines(parity: ParityFile) -> list[str]:
    """The content of a run's ``parity.json``, as lines."""
    lines = [_execution_line(parity.execution)]
    if parity.execution.may_saturate:
        lines.append(
            "this CPU has no VNNI (Vector Neural Network Instructions): it may clip the sum of two "
            "products to 16 bits; scheme.weight.bits=7 avoids it"
        )
    lines.append(_gate_line(parity))
    if (reference := parity.reference) is not None:
        lines.append(
            f"integer-only reference: {counted(reference.images, 'image')}, at most "
            f"{counted(reference.max_steps or 0.0, 'step', 'g')} from the simulation"
        )
    return lines + _accumulator_lines(parity.accumulators)


def latency_lines(latency: LatencyFile) -> list[str]:
    """The content of a run's ``latency.json``, as lines."""
    lines = []
    for row in latency.speedups:
        times = {
            name: f"{time.median_ms:.3f} ms ({time.lower_ms:.3f} to {time.upper_ms:.3f})"
            for name, time in latency.times(row.batch, row.threads).items()
        }
        lines.append(
            f"{row.network} {times[row.network]}, {row.baseline} "
            f"{times[row.baseline]}: {row.median:.2f}\u00d7 "
            f"({row.lower:.2f} to {row.upper:.2f}) as fast; batch {row.batch}, "
            f"{counted(row.threads, 'thread')}, {row.runtime} {latency.rows[0].version}, medians "
            f"and quartiles of {latency.rows[0].repeats}"
            f"{_half_words(latency, row.network)}"
        )
    return lines


def _half_words(latency: LatencyFile, network: str) -> str:
    halves, products = latency.float16_products or (0, 0)
    return f"; {HALF_SIMULATED}" if network == HALF and halves < products else ""


def _execution_line(execution: RuntimeExecution) -> str:
    whole = execution.layers - len(execution.float_layers)
    text = f"{execution.runtime} {execution.version}, {execution.instructions or 'no VNNI'}: "
    if (half := execution.float16_products) is not None:
        text += f"{half[0]} of {half[1]} products in float16"
        return text + (f"; {HALF_SIMULATED}" if half[0] < half[1] else "")
    if not execution.layers:
        return text + "all in float"
    text += f"{whole} of {counted(execution.layers, 'layer')} run as integers"
    if execution.float_layers:
        text += f"; {SIZE_ONLY} ({', '.join(execution.float_layers)})"
    return text


def _gate_line(parity: ParityFile) -> str:
    parts = []
    for how, rows in parity.logits.items():
        images = counted(rows.images, "image")
        text = f"same class for {100 * rows.top1_agreement:.2f} % of {images} ({how}"
        if rows.max_steps is not None:
            text += f", largest difference {counted(rows.max_steps, 'step', 'g')}"
        if (first := parity.first_diverging.get(how)) is not None:
            text += f", first difference in {first.name}"
        parts.append(f"{text})")
    words = _CAUSES.get(parity.cause, "")
    reason = f" ({parity.reason})" if parity.reason else ""
    cause = f": {words}{reason}" if words else f": {parity.reason}" if parity.reason else ""
    return f"parity {parity.gate}{cause}; {', '.join(parts)}"


def _accumulator_lines(rows: Sequence[AccumulatorWidth]) -> list[str]:
    if not rows:
        return []
    worst = max(rows, key=lambda row: row.worst_bits)
    text = f"accumulators: {worst.worst_bits} bits at worst ({worst.name})"
    for bits in ACCUMULATOR_BITS:
        over = [row.name for row in rows if bits in row.overflows]
        if over:
            text += f"; {bits} bits overflow in {len(over)} of {counted(len(rows), 'layer')}"
    return [text]
