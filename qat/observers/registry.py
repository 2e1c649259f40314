"""Observers by name. Reading the names loads no torch."""

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
        "latest": "qat.observers.minmax:LatestObserver",
        "mean_abs": "qat.observers.mean_abs:MeanAbsObserver",
    }
)


def make_observer(method: Method, slices: int) -> "Observer":
    """A new observer of that many slices."""
    from qat.observers.base import Observer

    found = class_of(method, OBSERVERS, Observer, required=("slices",))
    return found(slices, **method.options)
