"""A network of the user's own, made by a factory named on the command line."""

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from torch import nn


def user_model(target: str, **arguments: Any) -> nn.Module:
    """Call ``package.module:factory`` with those arguments that it takes.

    Raises:
        ValueError: If the target is not to be found, or returns no network.
    """
    factory = _imported(target)
    parameters = inspect.signature(factory).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    given = {k: v for k, v in arguments.items() if takes_all or k in parameters}
    net = factory(**given)
    if not isinstance(net, nn.Module):
        raise ValueError(f"model.target={target} must return a torch.nn.Module, got {type(net)}")
    return net


def _imported(target: str) -> Any:
    module, _, name = target.partition(":")
    if not module or not name:
        raise ValueError(f"model.target must be package.module:factory, got {target!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"model.target={target}: {error}; is it installed, or here?") from error
