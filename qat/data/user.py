"""Images of the user's own, made by a function named on the command line."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qat.base.errors import InputError
from qat.base.target import load_target
from qat.data.bundle import RawData, Request
from qat.data.errors import DataError
from qat.data.npz import LAYOUT, raw_data

_OFFERED = ("root", "path", "train_images", "test_images", "seed")


def load_user(request: Request) -> RawData:
    """What ``package.module:function`` returns: arrays by name, as an .npz file has them.

    Of ``root``, ``path``, ``train_images``, ``test_images`` and ``seed`` the function is given
    those that it takes and that have a value; then the options, which win. It must return the same
    arrays for the same arguments: a run is named by their digest.

    Raises:
        DataError: If the target is not to be found, does not take an option or lacks an argument,
            or returns anything but such arrays.
    """
    if request.target is None:
        raise DataError("data=user needs a function: set data.target=package.module:function")
    where = f"data.target={request.target}"
    arrays = _called(_imported(request.target), request, where)
    if not isinstance(arrays, Mapping):
        raise DataError(f"{where} must return a mapping with {LAYOUT}, got {type(arrays).__name__}")
    return raw_data(
        {name: np.asarray(array) for name, array in arrays.items()}, where, request.classes
    )


def _called(function: Callable[..., Any], request: Request, where: str) -> Any:
    parameters = inspect.signature(function).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [] if takes_all else [name for name in request.options if name not in parameters]
    if unknown:
        allowed = ", ".join(parameters) or "none"
        raise DataError(f"{where} has no option {unknown[0]!r}; it takes {allowed}")
    offered = {name: getattr(request, name) for name in _OFFERED if name in parameters}
    given = {k: v for k, v in offered.items() if v is not None} | dict(request.options)
    try:
        inspect.signature(function).bind(**given)
    except TypeError as error:
        raise DataError(f"{where}: {error}; give it in data.options") from error
    return function(**given)


def _imported(target: str) -> Callable[..., Any]:
    try:
        found = load_target(target, "data.target")
    except InputError as error:
        raise DataError(str(error)) from error
    if not callable(found):
        raise DataError(f"data.target={target} is no function but {type(found).__name__}")
    return found  # type: ignore[no-any-return]
