"""The comparison page of one run: the float network beside its quantized version."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qat.base.text import markdown_line
from qat.records.metrics import METRICS, MetricFormat
from qat.records.schema import RunRecord
from qat.tables.numbers import MISSING, number_text

FLOAT_PAIR_BITS = 32 * 32
"""Bit operations (BOPs) of one multiply-accumulate in float32: 32 x 32."""


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One line of the comparison, as text.

    Attributes:
        metric: Label and unit.
        float_value: Of the float network; empty if the metric does not apply to it.
        quantized: Of the quantized network; a dash if it was not measured.
        difference: Quantized minus float, with unit; empty if the two are not comparable.
    """

    metric: str
    float_value: str
    quantized: str
    difference: str


@dataclass(frozen=True, slots=True)
class _ComparisonLine:
    words: str
    float_name: str | None
    name: str | None
    difference: bool = False
    optional: bool = False  # shown only if the run measured it


LINES = (
    _ComparisonLine("top-1", "float_top1", "top1", difference=True),
    _ComparisonLine("top-1 calibrated, before training", None, "calibrated_top1", optional=True),
    _ComparisonLine("top-5", "float_top5", "top5", difference=True),
    _ComparisonLine("loss", "float_loss", "loss", difference=True),
    _ComparisonLine("top-1 drop, absolute", None, "top1_drop"),
    _ComparisonLine("top-1 drop, relative", None, "top1_drop_relative"),
    _ComparisonLine("same class as the float network", None, "float_agreement", optional=True),
    _ComparisonLine("logit SQNR", None, "logit_sqnr_db"),
    _ComparisonLine("file size", "float_bytes", "packed_bytes", difference=True),
    _ComparisonLine("theoretical size", None, "theoretical_bytes", optional=True),
    _ComparisonLine("size in memory, simulated", None, "simulated_bytes", optional=True),
    _ComparisonLine("ONNX size", "float_onnx_bytes", "onnx_bytes", difference=True, optional=True),
    _ComparisonLine("compression", None, "compression"),
    _ComparisonLine("MACs", "macs", "macs"),
    _ComparisonLine("BOPs", None, "bops"),
    _ComparisonLine(
        "torch time (float eager, quantized simulated)",
        "float_eager_latency_ms",
        "simulated_latency_ms",
    ),
    _ComparisonLine("runtime latency", "float_latency_ms", "latency_ms", optional=True),
    _ComparisonLine("runtime speed-up", None, "speedup", optional=True),
    _ComparisonLine("runtime top-1", None, "runtime_top1", optional=True),
    _ComparisonLine(
        "runtime agrees with the simulation (worse of its optimizations off and on)",
        None,
        "parity_top1_agreement",
        optional=True,
    ),
    _ComparisonLine(
        "largest difference of a logit (worse of the same)",
        None,
        "parity_max_steps",
        optional=True,
    ),
    _ComparisonLine("widest accumulator", None, "accumulator_bits", optional=True),
    _ComparisonLine(
        "peak activations",
        "float_peak_activation_bytes",
        "peak_activation_bytes",
        optional=True,
    ),
)
OF_NEWER_RUNS = ("float_top5",)  # older records have neither the value nor a reason
FLOAT_WORDS = {"float_eager_latency_ms": "torch time (eager)"}


def comparison_rows(record: RunRecord) -> list[ComparisonRow]:
    """The lines of a run's comparison; for a float run, the float column alone.

    A metric that was not measured shows as a dash; :func:`comparison_notes` gives the reason.
    Times in torch have no difference, because torch only simulates the quantized network.
    """
    if record.mode == "float":
        return [_float_row(record, line) for line in LINES if _of_float(line)]
    return [
        _row(record, line) for line in LINES if not line.optional or line.name in record.metrics
    ]


def comparison_notes(record: RunRecord) -> list[str]:
    """Why metrics were not measured: one line for each reason, with the names of the metrics."""
    names: dict[str, list[str]] = {}
    for name in _absent(record):
        names.setdefault(record.unmeasured.get(name, "no reason given"), []).append(name)
    return [f"{', '.join(absent)}: {reason}" for reason, absent in names.items()]


def comparison_markdown(record: RunRecord) -> str:
    """The comparison as a Markdown table with its notes."""
    lines = ["| metric | float | quantized | difference |", "|---|---:|---:|---:|"]
    lines += [
        f"| {row.metric} | {row.float_value} | {row.quantized} | {row.difference} |"
        for row in comparison_rows(record)
    ]
    notes = comparison_notes(record)
    return (
        "\n".join(lines) + "\n" + "".join(f"\n{MISSING} {markdown_line(note)}\n" for note in notes)
    )


def _row(record: RunRecord, line: _ComparisonLine) -> ComparisonRow:
    metric = METRICS[line.name or line.float_name or ""]
    if line.name == "bops":
        float_text = _float_bops(record, metric)
    else:
        float_text = _text(record, _known(record, line), metric)
    unit = f" [{metric.unit}]" if metric.unit else ""
    return ComparisonRow(
        metric=f"{line.words}{unit}",
        float_value=float_text,
        quantized=_text(record, line.name, metric),
        difference=_difference(record, line, metric) if line.difference else "",
    )


def _of_float(line: _ComparisonLine) -> bool:
    return not line.optional and (line.float_name is not None or line.name in ("top5", "bops"))


def _float_row(record: RunRecord, line: _ComparisonLine) -> ComparisonRow:
    name = _known(record, line) or line.name
    metric = METRICS[name or ""]
    words = FLOAT_WORDS.get(name or "", line.words)
    unit = f" [{metric.unit}]" if metric.unit else ""
    return ComparisonRow(f"{words}{unit}", _text(record, name, metric), "", "")


def _known(record: RunRecord, line: _ComparisonLine) -> str | None:
    """Name of the float network's metric; None if the record is older than the metric."""
    name = line.float_name
    if name in OF_NEWER_RUNS and name not in record.metrics and name not in record.unmeasured:
        return None
    return name


def _text(record: RunRecord, name: str | None, metric: MetricFormat) -> str:
    if name is None:
        return ""
    return number_text(record.metrics[name], metric) if name in record.metrics else MISSING


def _float_bops(record: RunRecord, metric: MetricFormat) -> str:
    if "macs" not in record.metrics:
        return MISSING
    return number_text(record.metrics["macs"] * FLOAT_PAIR_BITS, metric)


def _difference(record: RunRecord, line: _ComparisonLine, metric: MetricFormat) -> str:
    before = record.metrics.get(line.float_name or "")
    after = record.metrics.get(line.name or "")
    if before is None or after is None:
        return ""
    text = number_text(after - before, metric)
    sign = "" if text.startswith("-") or float(text) == 0 else "+"
    # The difference of two percentages is in points: "%" would mean a relative difference.
    unit = "points" if metric.unit == "%" else metric.unit
    return f"{sign}{text} {unit}".rstrip()


def _absent(record: RunRecord) -> Sequence[str]:
    return list(dict.fromkeys(name for name in _expected(record) if name not in record.metrics))


def _expected(record: RunRecord) -> Iterator[str]:
    for line in LINES:
        if record.mode == "float":
            yield from (n for n in (_known(record, line) or line.name,) if n and _of_float(line))
        elif not line.optional:
            yield from (name for name in (_known(record, line), line.name) if name)
