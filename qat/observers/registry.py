"""Observers by name."""

import inspect

from qat.core.scheme import Method
from qat.core.target import load_target
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


def observer_class(method: Method) -> type[Observer]:
    """The class a method names, its options checked against the constructor.

    Raises:
        KeyError: If no observer has that name.
        ValueError: If an option is none of the constructor's, or a target is no observer.
    """
    if method.target is not None:
        found = load_target(method.target)
        if not (isinstance(found, type) and issubclass(found, Observer)):
            raise ValueError(f"{method.target} is not a subclass of qat.observers.base.Observer")
    elif method.name in OBSERVERS:
        found = OBSERVERS[method.name]
    else:
        raise KeyError(f"no observer {method.name!r}; there are {', '.join(OBSERVERS)}, user")
    check_options(method, found, given=("self", "slices"))
    return found


def make_observer(method: Method, slices: int) -> Observer:
    """A new observer of that many slices."""
    return observer_class(method)(slices, **method.options)


def check_options(method: Method, found: type, given: tuple[str, ...]) -> None:
    """Refuse options that the constructor does not take.

    Raises:
        ValueError: Naming the option and those that are allowed.
    """
    allowed = [name for name in inspect.signature(found).parameters if name not in given]
    for option in method.options:
        if option not in allowed:
            raise ValueError(
                f"{method.name} has no option {option!r}; it takes {', '.join(allowed) or 'none'}"
            )
