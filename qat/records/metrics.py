"""The metrics of a record, each with its label and unit, as all tables show them.

Metrics are flat numbers with the unit in the name. Names outside of this list are allowed, such as
``latency_ms_b64``; tables show them as they are.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from qat.base.errors import InputError


@dataclass(frozen=True, slots=True)
class MetricFormat:
    """How one metric is shown.

    Attributes:
        label: The words of a table header, without unit.
        unit: The unit as shown; empty for a pure number.
        factor: Shown value = stored value times ``factor`` (the fraction 0.9 is shown as 90 %).
        decimals: Digits after the point, as shown.
        higher_is_better: None if neither direction is better.
    """

    label: str
    unit: str = ""
    factor: float = 1.0
    decimals: int = 2
    higher_is_better: bool | None = None


KIB = 1 / 1024
TIMES = "\u00d7"  # the multiplication sign

METRICS: Mapping[str, MetricFormat] = {
    "float_top1": MetricFormat("float top-1", "%", 100, higher_is_better=True),
    "calibrated_top1": MetricFormat("calibrated top-1", "%", 100, higher_is_better=True),
    "top1": MetricFormat("top-1", "%", 100, higher_is_better=True),
    "top1_drop": MetricFormat("drop", "points", 100, higher_is_better=False),
    "top1_drop_relative": MetricFormat("relative drop", "%", 100, higher_is_better=False),
    "top5": MetricFormat("top-5", "%", 100, higher_is_better=True),
    "float_top5": MetricFormat("float top-5", "%", 100, higher_is_better=True),
    "float_loss": MetricFormat("float loss", decimals=4),
    "loss": MetricFormat("loss", decimals=4, higher_is_better=False),
    "float_agreement": MetricFormat("agreement with float", "%", 100, higher_is_better=True),
    "logit_sqnr_db": MetricFormat("logit SQNR", "dB", higher_is_better=True),
    "runtime_top1": MetricFormat("runtime top-1", "%", 100, higher_is_better=True),
    "parity_top1_agreement": MetricFormat("parity agreement", "%", 100, higher_is_better=True),
    "parity_max_steps": MetricFormat(
        "parity difference", "steps", decimals=0, higher_is_better=False
    ),
    "parity_within_one_step": MetricFormat("parity within 1 step", "%", 100, higher_is_better=True),
    "accumulator_bits": MetricFormat(
        "widest accumulator", "bit", decimals=0, higher_is_better=False
    ),
    "weight_flips": MetricFormat("weight flips", "per million", 1e6, 1, higher_is_better=False),
    "float_bytes": MetricFormat("float size", "KiB", KIB, 1),
    "simulated_bytes": MetricFormat("simulated size", "KiB", KIB, 1),
    "theoretical_bytes": MetricFormat("theoretical size", "KiB", KIB, 1, higher_is_better=False),
    "packed_bytes": MetricFormat("packed size", "KiB", KIB, 1, higher_is_better=False),
    "zero_point_bytes": MetricFormat("zero points", "B", decimals=0, higher_is_better=False),
    "onnx_bytes": MetricFormat("ONNX size", "KiB", KIB, 1, higher_is_better=False),
    "float_onnx_bytes": MetricFormat("float ONNX size", "KiB", KIB, 1),
    "half_onnx_bytes": MetricFormat("float16 ONNX size", "KiB", KIB, 1),
    "compression": MetricFormat("compression", TIMES, higher_is_better=True),
    "weight_bytes": MetricFormat("weights", "KiB", KIB, 1, higher_is_better=False),
    "average_weight_bits": MetricFormat("average weight", "bit"),
    "predicted_harm": MetricFormat("predicted harm", decimals=4),
    "prediction_spearman": MetricFormat("Spearman of the prediction", higher_is_better=True),
    "prediction_spearman_low": MetricFormat("from"),
    "prediction_spearman_high": MetricFormat("to"),
    "prediction_kendall_low": MetricFormat("from"),
    "prediction_kendall_high": MetricFormat("to"),
    "prediction_kendall": MetricFormat("Kendall of the prediction", higher_is_better=True),
    "random_plans_top1_best": MetricFormat("best random plan", "%", 100),
    "random_plans_top1_mean": MetricFormat("mean random plan", "%", 100),
    "macs": MetricFormat("MACs", "M", 1e-6),
    "bops": MetricFormat("BOPs", "G", 1e-9, 3, higher_is_better=False),
    "float_latency_ms": MetricFormat("float latency", "ms", decimals=3),
    "latency_ms": MetricFormat("latency", "ms", decimals=3, higher_is_better=False),
    "speedup": MetricFormat("speed-up", TIMES, higher_is_better=True),
    "half_latency_ms": MetricFormat("float16 latency", "ms", decimals=3, higher_is_better=False),
    "half_speedup": MetricFormat("float16 speed-up", TIMES, higher_is_better=True),
    "float_eager_latency_ms": MetricFormat("float torch time", "ms", decimals=3),
    "simulated_latency_ms": MetricFormat(
        "simulated latency", "ms", decimals=3, higher_is_better=False
    ),
    "peak_activation_bytes": MetricFormat(
        "peak activations", "KiB", KIB, 1, higher_is_better=False
    ),
    "float_peak_activation_bytes": MetricFormat("float peak activations", "KiB", KIB, 1),
    "arena_workspace_bytes": MetricFormat("workspace of the arena", "KiB", KIB, 1),
    "arena_allocated_bytes": MetricFormat("allocated beside the arena", "KiB", KIB, 1),
    "peak_unpacked_bytes": MetricFormat("unpacked weights at once", "KiB", KIB, 1),
}


def check_metrics(metrics: Mapping[str, object]) -> None:
    """Check that every metric is a finite number.

    Raises:
        InputError: If a value is a bool, no number, NaN or infinite; it names the metric.
    """
    for name, value in metrics.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(
                f"metric {name!r} must be a float or an int, got {value!r} "
                f"({type(value).__name__}); convert it first (numpy: .item())"
            )
        if not _is_finite(value):
            raise InputError(
                f"metric {name!r} is {str(value)[:30]}: leave it out and give the reason in "
                "unmeasured"
            )


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer larger than every float
        return False
