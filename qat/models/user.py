"""A network of the user's own, made by a factory named on the command line."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from qat.base.errors import InputError
from qat.base.target import load_target


def user_model(target: str, sizes: Mapping[str, Any], options: Mapping[str, Any]) -> nn.Module:
    """Call ``package.module:factory``.

    Args:
        target: What to call.
        sizes: Arguments given if the factory takes them; to one of ``*args`` alone in their order.
        options: Arguments given in any case.

    Raises:
        ValueError: If the target is not to be found, lacks an option, or returns no network.
    """
    factory = load_target(target, "model.target")
    parameters = inspect.signature(factory).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [] if takes_all else [name for name in options if name not in parameters]
    if unknown:
        allowed = ", ".join(parameters) or "none"
        raise InputError(f"{target} has no option {unknown[0]!r}; it takes {allowed}")
    given = {k: v for k, v in sizes.items() if takes_all or k in parameters}
    # def factory(*shape) names none of them: it takes them in their order
    in_order = any(p.kind is p.VAR_POSITIONAL for p in parameters.values()) and not given
    places, named = tuple(sizes.values()) if in_order else (), {**given, **options}
    try:
        inspect.signature(factory).bind(*places, **named)
    except TypeError as error:
        raise InputError(f"model.options do not fit {target}: {error}") from error
    net = factory(*places, **named)
    if not isinstance(net, nn.Module):
        raise InputError(f"model.target={target} must return a torch.nn.Module, got {type(net)}")
    return net
