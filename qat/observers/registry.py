"""Observers by name. Reading the names does not import torch."""

from typing import TYPE_CHECKING

from qat.core.registry import Registry
from qat.core.scheme import Method
from qat.core.target import class_of

if TYPE_CHECKING:
    from qat.observers.base import Observer

OBSERVERS: "Registry[type[Observer]]" = Registry(
    {
        "minmax": "qat.observers.minmax:MinMaxObserver",
        "ema": "qat.observers.ema:EMAObserver",
        "percentile": "qat.observers.percentile:PercentileObserver",
        "mse": "qat.observers.mse:MSEObserver",
        "entropy": "qat.observers.entropy:EntropyObserver",
        "std": "qat.observers.std:StdObserver",
        "aciq_gauss": "qat.observers.aciq_gauss:ACIQGaussObserver",
        "aciq_laplace": "qat.observers.aciq_laplace:ACIQLaplaceObserver",
        "octav": "qat.observers.octav:OCTAVObserver",
        "latest": "qat.observers.minmax:LatestObserver",
        "mean_abs": "qat.observers.mean_abs:MeanAbsObserver",
    }
)


def make_observer(method: Method, slices: int) -> "Observer":
    """A new observer.

    Args:
        method: Name of the observer, and its options.
        slices: Number of scales.

    Raises:
        UnknownNameError: If there is no observer of this name.
        InputError: If it does not take an option, or a target is not an observer.

    Example:
        >>> make_observer(Method("ema", options={"momentum": 0.5}), slices=3).momentum
        0.5
    """
    from qat.observers.base import Observer

    observer_class = class_of(method, OBSERVERS, Observer, required=("slices",))
    return observer_class(slices, **method.options)
