"""A network from the user's own factory, which is named on the command line."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from qat.base.errors import InputError
from qat.base.target import load_target

_ALSO = {"num_classes": "classes"}
"""Name of an argument in torchvision and timm → ours."""


def user_model(target: str, sizes: Mapping[str, Any], options: Mapping[str, Any]) -> nn.Module:
    """Call ``package.module:factory`` and return its network.

    Args:
        target: The factory.
        sizes: Name → number. Those that the factory takes are passed by name, ``classes`` also as
            ``num_classes``; a factory with ``*args`` that takes none by name gets all by position,
            in order.
        options: Further arguments, which are always passed by name.

    Raises:
        InputError: If the factory cannot be imported, does not take an option, or does not return
            a ``torch.nn.Module``.

    Example:
        >>> sizes = {"in_features": 4, "classes": 10}
        >>> user_model("torch.nn:Linear", sizes, {"out_features": 2})
        Linear(in_features=4, out_features=2, bias=True)
    """
    factory = load_target(target, "model.target")
    parameters = inspect.signature(factory).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [] if takes_all else [name for name in options if name not in parameters]
    if unknown:
        allowed = ", ".join(parameters) or "none"
        raise InputError(f"{target} has no option {unknown[0]!r}; it takes {allowed}")
    sizes_by_name = {k: v for k, v in sizes.items() if takes_all or k in parameters}
    unnamed = sizes.keys() - parameters.keys()
    also = {name: sizes[k] for name, k in _ALSO.items() if name in parameters and k in unnamed}
    # def factory(*sizes) names none of them: it gets them by position
    in_order = any(p.kind is p.VAR_POSITIONAL for p in parameters.values()) and not sizes_by_name
    by_position = tuple(sizes.values()) if in_order else ()
    by_name = {**sizes_by_name, **also, **options}
    try:
        inspect.signature(factory).bind(*by_position, **by_name)
    except TypeError as error:
        raise InputError(
            f"model.options do not fit {target}: {error}; it gets those of {', '.join(sizes)} "
            "that it names, and model.options.NAME=VALUE sets others"
        ) from error
    net = factory(*by_position, **by_name)
    if not isinstance(net, nn.Module):
        raise InputError(f"model.target={target} must return a torch.nn.Module, got {type(net)}")
    return net
