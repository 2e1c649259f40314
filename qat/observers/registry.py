"""Observers by name."""

from qat.core.scheme import Method
from qat.core.target import class_of
from qat.observers.base import Observer
from qat.observers.ema import EMAObserver
from qat.observers.mean_abs import MeanAbsObserver
from qat.observers.minmax import LatestObserver, MinMaxObserver
from qat.observers.mse import MSEObserver
from qat.observers.percentile import PercentileObserver

OBSERVERS: dict[str, type[Observer]] = {
    "minmax": MinMaxObserver,
    "ema": EMAObserver,
    "percentile": PercentileObserver,
    "mse": MSEObserver,
    "latest": LatestObserver,
    "mean_abs": MeanAbsObserver,
}


def make_observer(method: Method, slices: int) -> Observer:
    """A new observer of that many slices."""
    found = class_of(method, OBSERVERS, Observer, given=("slices",))
    return found(slices, **method.options)
