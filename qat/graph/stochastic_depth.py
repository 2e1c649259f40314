"""Stochastic depth of torchvision, without an import of torchvision, which is slow.

A network that uses it has imported it: if torchvision is not loaded, no network has the layer.
Huang et al. 2016, arXiv:1603.09382.
"""

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from torch import nn

_HOME = "torchvision.ops.stochastic_depth"


def is_stochastic_depth(module: nn.Module) -> bool:
    """Whether a module is torchvision's ``StochasticDepth``, or derived from it."""
    loaded = _loaded()
    return loaded is not None and isinstance(module, loaded.StochasticDepth)


def stochastic_depth_functions() -> tuple[Callable[..., Any], ...]:
    """Torchvision's function ``stochastic_depth``, if it is loaded."""
    loaded = _loaded()
    return () if loaded is None else (loaded.stochastic_depth,)


def stochastic_depth_layer(arguments: Mapping[str, Any]) -> nn.Module:
    """The layer that does what a call of the function does.

    Args:
        arguments: ``p`` and ``mode`` of the call.
    """
    loaded = _loaded()
    assert loaded is not None  # the call is one of its function
    layer: nn.Module = loaded.StochasticDepth(arguments["p"], arguments["mode"])
    return layer


def _loaded() -> ModuleType | None:
    return sys.modules.get(_HOME)
