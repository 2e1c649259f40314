"""The user's own images, from a function that is named on the command line."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qat.base.errors import InputError
from qat.base.target import load_target
from qat.data.bundle import RawData
from qat.data.errors import DataError
from qat.data.request import DataRequest
from qat.data.sources.npz import LAYOUT, raw_data

_OFFERED = {
    **{name: name for name in ("root", "path", "train_images", "test_images")},
    "seed": "split_seed",
}
"""Argument of the user's function → field of the request."""


def load_user(request: DataRequest) -> RawData:
    """Call ``package.module:function``, which returns arrays by name, as an .npz file has them.

    The function receives those of ``root``, ``path``, ``train_images``, ``test_images`` and
    ``seed`` that it takes and that have a value. It also receives the options, which override them.
    It must return the same arrays for the same arguments: their digest is part of the run's id.

    Raises:
        DataError: If the target does not exist, does not take an option or needs another argument,
            or does not return such arrays.
    """
    if request.target is None:
        raise DataError("data=user needs a function: set data.target=package.module:function")
    where = f"data.target={request.target}"
    arrays = _call(_import(request.target), request, where)
    if not isinstance(arrays, Mapping):
        raise DataError(f"{where} must return a mapping with {LAYOUT}, got {type(arrays).__name__}")
    return raw_data(
        {name: np.asarray(array) for name, array in arrays.items()}, where, request.classes
    )


def _call(function: Callable[..., Any], request: DataRequest, where: str) -> Any:
    parameters = inspect.signature(function).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [] if takes_all else [name for name in request.options if name not in parameters]
    if unknown:
        allowed = ", ".join(parameters) or "none"
        raise DataError(f"{where} has no option {unknown[0]!r}; it takes {allowed}")
    offered = {name: getattr(request, f) for name, f in _OFFERED.items() if name in parameters}
    arguments = {k: v for k, v in offered.items() if v is not None} | dict(request.options)
    try:
        inspect.signature(function).bind(**arguments)
    except TypeError as error:
        raise DataError(f"{where}: {error}; give it in data.options") from error
    return function(**arguments)


def _import(target: str) -> Callable[..., Any]:
    try:
        function = load_target(target, "data.target")
    except InputError as error:
        raise DataError(str(error)) from error
    if not callable(function):
        kind = type(function).__name__
        raise DataError(f"data.target={target} must name a function, got {kind}; name a function")
    return function  # type: ignore[no-any-return]
