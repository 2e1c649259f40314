"""The metrics a record may hold, each with its words and its unit: the vocabulary of every table.

Metrics are flat numbers with the unit in the name. Names outside this list are allowed (a runtime's
``latency_ms_b64``, say); they show as they are.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from qat.base.errors import InputError


@dataclass(frozen=True, slots=True)
class Metric:
    """How one metric is read.

    Attributes:
        label: The words of a table header, without unit.
        unit: The unit as shown; empty for a pure number.
        factor: Shown value = stored value times ``factor`` (a fraction 0.9 shows as 90 %).
        decimals: Digits after the point, as shown.
        higher_is_better: What one hopes for; None where neither is better.
    """

    label: str
    unit: str = ""
    factor: float = 1.0
    decimals: int = 2
    higher_is_better: bool | None = None


KIB = 1 / 1024
TIMES = "\u00d7"  # the multiplication sign

METRICS: Mapping[str, Metric] = {
    "float_top1": Metric("float top-1", "%", 100, higher_is_better=True),
    "calibrated_top1": Metric("calibrated top-1", "%", 100, higher_is_better=True),
    "top1": Metric("top-1", "%", 100, higher_is_better=True),
    "top1_drop": Metric("drop", "points", 100, higher_is_better=False),
    "top1_drop_relative": Metric("relative drop", "%", 100, higher_is_better=False),
    "top5": Metric("top-5", "%", 100, higher_is_better=True),
    "float_top5": Metric("float top-5", "%", 100, higher_is_better=True),
    "float_loss": Metric("float loss", decimals=4),
    "loss": Metric("loss", decimals=4, higher_is_better=False),
    "float_agreement": Metric("agreement with float", "%", 100, higher_is_better=True),
    "logit_sqnr_db": Metric("logit SQNR", "dB", higher_is_better=True),
    "runtime_top1": Metric("runtime top-1", "%", 100, higher_is_better=True),
    "parity_top1_agreement": Metric("parity agreement", "%", 100, higher_is_better=True),
    "parity_max_steps": Metric("parity difference", "steps", decimals=0, higher_is_better=False),
    "parity_within_one_step": Metric("parity within 1 step", "%", 100, higher_is_better=True),
    "accumulator_bits": Metric("widest accumulator", "bit", decimals=0, higher_is_better=False),
    "float_bytes": Metric("float size", "KiB", KIB, 1),
    "simulated_bytes": Metric("simulated size", "KiB", KIB, 1),
    "theoretical_bytes": Metric("theoretical size", "KiB", KIB, 1, higher_is_better=False),
    "packed_bytes": Metric("packed size", "KiB", KIB, 1, higher_is_better=False),
    "onnx_bytes": Metric("ONNX size", "KiB", KIB, 1, higher_is_better=False),
    "float_onnx_bytes": Metric("float ONNX size", "KiB", KIB, 1),
    "half_onnx_bytes": Metric("float16 ONNX size", "KiB", KIB, 1),
    "compression": Metric("compression", TIMES, higher_is_better=True),
    "weight_bytes": Metric("weights", "KiB", KIB, 1, higher_is_better=False),
    "average_weight_bits": Metric("average weight", "bit"),
    "predicted_harm": Metric("predicted harm", decimals=4),
    "prediction_spearman": Metric("Spearman of the prediction", higher_is_better=True),
    "prediction_spearman_low": Metric("from"),
    "prediction_spearman_high": Metric("to"),
    "prediction_kendall_low": Metric("from"),
    "prediction_kendall_high": Metric("to"),
    "prediction_kendall": Metric("Kendall of the prediction", higher_is_better=True),
    "random_plans_top1_best": Metric("best random plan", "%", 100),
    "random_plans_top1_mean": Metric("mean random plan", "%", 100),
    "macs": Metric("MACs", "M", 1e-6),
    "bops": Metric("BOPs", "G", 1e-9, 3, higher_is_better=False),
    "float_latency_ms": Metric("float latency", "ms", decimals=3),
    "latency_ms": Metric("latency", "ms", decimals=3, higher_is_better=False),
    "speedup": Metric("speed-up", TIMES, higher_is_better=True),
    "half_latency_ms": Metric("float16 latency", "ms", decimals=3, higher_is_better=False),
    "half_speedup": Metric("float16 speed-up", TIMES, higher_is_better=True),
    "float_eager_latency_ms": Metric("float torch time", "ms", decimals=3),
    "simulated_latency_ms": Metric("simulated latency", "ms", decimals=3, higher_is_better=False),
    "peak_activation_bytes": Metric("peak activations", "KiB", KIB, 1, higher_is_better=False),
    "float_peak_activation_bytes": Metric("float peak activations", "KiB", KIB, 1),
    "arena_workspace_bytes": Metric("workspace of the arena", "KiB", KIB, 1),
    "arena_allocated_bytes": Metric("allocated beside the arena", "KiB", KIB, 1),
    "peak_unpacked_bytes": Metric("unpacked weights at once", "KiB", KIB, 1),
}


def check_metrics(metrics: Mapping[str, object]) -> None:
    """Refuse what is not a finite number.

    Raises:
        ValueError: Naming the metric, if its value is a bool, no number, NaN or infinite.
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
    except OverflowError:  # an integer beyond every float
        return False
