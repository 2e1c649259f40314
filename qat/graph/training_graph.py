"""The graph of a network as it computes in training, for a step that runs it many times."""

import copy
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from qat.graph.rewrite import without_arguments
from qat.graph.trace import TraceError, raw_graph


def training_graph(net: nn.Module) -> fx.Graph:
    """Return the graph of a network in its present modes.

    A graph repeats one run of ``forward``. So a network whose ``forward`` would do something else
    the next time is refused: one that draws random numbers outside of a layer, or changes an
    attribute of its own.

    Args:
        net: A float or quantized network; neither it nor the state of any random generator
            changes.

    Raises:
        TraceError: If the network cannot be traced, or ``forward`` may differ between two calls.

    Example:
        >>> graph = training_graph(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
        >>> [node.op for node in graph.nodes]
        ['placeholder', 'call_module', 'call_module', 'output']
    """
    copied = copy.deepcopy(net)
    attributes, generators = _attributes(copied), _generators()
    try:
        graph = raw_graph(copied)
        if not _equal(generators, _generators()):
            raise TraceError(f"{type(net).__name__} draws random numbers outside of its layers")
    finally:
        _restore(generators)
    if attributes != _attributes(copied):
        raise TraceError(f"{type(net).__name__} changes its own attributes in forward")
    without_arguments(graph)
    return graph


def _attributes(net: nn.Module) -> dict[tuple[str, str], Any]:
    """Every attribute of every module: numbers and texts by value, others by identity."""
    plain = (bool, int, float, str, type(None))
    return {
        (name, key): value if isinstance(value, plain) else id(value)
        for name, module in net.named_modules()
        for key, value in vars(module).items()
    }


def _generators() -> dict[str, Any]:
    """The states of the random generators that a ``forward`` on the CPU may use."""
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
    }


def _restore(states: Mapping[str, Any]) -> None:
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])


def _equal(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    pairs = zip(before["numpy"], after["numpy"], strict=True)
    same_numpy = all(np.array_equal(a, b) for a, b in pairs)
    same_torch = torch.equal(before["torch"], after["torch"])
    return before["python"] == after["python"] and same_numpy and same_torch
