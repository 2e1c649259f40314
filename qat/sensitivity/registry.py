"""Sensitivity metrics by name. Reading the names loads no torch."""

from typing import TYPE_CHECKING

from qat.base.errors import UnknownNameError
from qat.core.registry import Registry

if TYPE_CHECKING:
    from qat.sensitivity.metrics import Metric

METRICS: "Registry[Metric]" = Registry(
    {
        "accuracy_drop": "qat.sensitivity.metrics:ACCURACY_DROP",
        "loss_increase": "qat.sensitivity.metrics:LOSS_INCREASE",
        "output_sqnr": "qat.sensitivity.metrics:OUTPUT_SQNR",
        "output_kl": "qat.sensitivity.metrics:OUTPUT_KL",
        "weight_mse": "qat.sensitivity.metrics:WEIGHT_MSE",
        "gradient": "qat.sensitivity.metrics:GRADIENT",
        "fisher": "qat.sensitivity.metrics:FISHER",
        "hessian": "qat.sensitivity.metrics:HESSIAN",
    }
)

OUTPUT_METRICS = ("accuracy_drop", "loss_increase", "output_sqnr", "output_kl")
"""Metrics that read the outputs: they can score several tensors that are quantized together."""


def metric_of(name: str) -> "Metric":
    """The metric of a name.

    Raises:
        KeyError: If there is no such metric; the message lists the names.

    Example:
        >>> metric_of("output_sqnr").unit
        'dB'
    """
    if name not in METRICS:
        raise UnknownNameError(f"no sensitivity metric {name!r}; there are {', '.join(METRICS)}")
    return METRICS[name]
