"""Tracing a network into a graph with torch.fx (Reed et al. 2022, arXiv:2112.08429)."""

import copy
import itertools
import os
import re
import traceback
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn

from qat.base.errors import InputError
from qat.core.evaluation_mode import evaluating
from qat.graph.modes import (
    TracedNetwork,
    first_difference,
    mark_held_layers,
    mark_training_only_layers,
)
from qat.graph.norm_act import is_norm_act, split_norm_acts
from qat.graph.rewrite import (
    defaults,
    dropouts_as_modules,
    without_arguments,
    without_side_effects,
)
from qat.graph.stochastic_depth import is_stochastic_depth, stochastic_depth_functions

_TORCH = f"{Path(torch.__file__).parent}{os.sep}"


class TraceError(InputError):
    """The network cannot be traced: its ``forward`` depends on values, or on the mode."""


class _Tracer(fx.Tracer):
    """Keeps every layer that can be quantized as one node, and the line of each operation.

    Layers that drop parts of a network in training are one node too: traced into in evaluation
    mode, they would leave no node.
    """

    def is_leaf_module(self, module: nn.Module, qualified_name: str) -> bool:
        """Return true for layers of torch and for modules with the attribute ``quantized_leaf``."""
        if getattr(module, "quantized_leaf", False):
            return True
        if is_stochastic_depth(module) or is_norm_act(module):
            return True
        return super().is_leaf_module(module, qualified_name)

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        """Add a node, and note the lines of ``forward`` that make it.

        torch's own ``record_stack_traces`` imports its whole compiler for that.

        Args:
            args: As torch's method takes them.
            kwargs: Likewise.
        """
        node = super().create_node(*args, **kwargs)
        node.stack_trace = _forward_lines()
        return node


def trace(net: nn.Module) -> fx.GraphModule:
    """Return a traced copy of a network as it computes in evaluation mode.

    Parameters and submodules keep their names, and each module keeps its mode. A functional
    dropout becomes a module, which drops in training. A layer that returns its input in evaluation
    mode only stays a module. Layers that the network's own ``train()`` keeps in evaluation mode
    stay in it. Operations in place become functions. Arguments of ``forward`` after the image have
    their defaults.

    Args:
        net: A float or quantized network; it is not changed.

    Raises:
        TraceError: If ``forward`` branches on the values of tensors, or a dropout drops in
            evaluation mode too (the message names the line), or a layer computes a weight from
            other parameters.

    Example:
        >>> traced = trace(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()))
        >>> [str(node.target) for node in traced.graph.nodes]
        ['input', '0', '1', 'output']
    """
    copied = _copied(net)
    mark_held_layers(copied)
    mark_training_only_layers(copied)
    with evaluating(copied):
        graph = raw_graph(copied)
    without_arguments(graph)
    split_norm_acts(copied, graph)
    for node in dropouts_as_modules(copied, graph):
        raise TraceError(
            f"dropout at {where(node)} drops in evaluation mode too: give it training=self.training"
        )
    without_side_effects(copied, graph)
    traced = TracedNetwork(copied, graph, type(net).__name__)
    for name, module in traced.named_modules():
        if name:
            module.training = copied.get_submodule(name).training
    traced.training = net.training
    return traced


def check_training(net: nn.Module) -> None:
    """Compare what a network computes in training with what it computes in evaluation mode.

    A traced network computes the latter in both modes, except for dropouts and for layers that
    :func:`trace` keeps.

    Raises:
        TraceError: If training computes something else; the message names the line.
    """
    copied = _copied(net)
    mark_training_only_layers(copied)
    graphs = []
    for training in (False, True):
        copied.train(training)
        graphs.append(raw_graph(copied))
    if (node := first_difference(*graphs)) is not None:
        what = node.target if isinstance(node.target, str) else node.name
        raise TraceError(
            f"{type(net).__name__} computes something else in training: {what} at {where(node)}; "
            "in placement integer training follows the graph of evaluation mode: put it into a "
            "layer that returns its input in evaluation mode, or use scheme.placement=academic"
        )


def raw_graph(net: nn.Module) -> fx.Graph:
    """Return the graph of a network in its present mode.

    Raises:
        TraceError: If ``forward`` branches on the values of tensors; the message names the line.
    """
    tracer = _Tracer(autowrap_functions=stochastic_depth_functions())
    try:
        return tracer.trace(net, defaults(net))
    except Exception as error:
        raise TraceError(
            f"cannot trace {type(net).__name__}: {_reason(error)}{_place(error)}; rewrite it "
            "without conditions on tensors, or use scheme.placement=academic: per-layer plans "
            "still work, only graph planning refuses"
        ) from error


def _copied(net: nn.Module) -> nn.Module:
    """Return a copy of a network.

    Raises:
        TraceError: If a layer computes a weight from other parameters, as weight_norm does: torch
            cannot copy it. The message names the layer.
    """
    for name, module in net.named_modules():
        for attribute, value in vars(module).items():
            if isinstance(value, torch.Tensor) and value.grad_fn is not None:
                raise TraceError(
                    f"layer {name!r}, a {type(module).__name__}, computes its {attribute} from "
                    "other parameters (weight_norm?), and cannot be copied: remove that first "
                    "(torch.nn.utils.remove_weight_norm)"
                )
    return copy.deepcopy(net)


def where(node: fx.Node) -> str:
    """Return ``file.py:12``, the line of the user's ``forward`` that makes an operation."""
    places = re.findall(r'File "([^"]+)", line (\d+)', node.stack_trace or "")
    if not places:
        return "an unknown line"
    file, line = places[-1]
    return f"{file.rsplit('/', 1)[-1]}:{line}"


def _forward_lines() -> str | None:
    """The lines that are running, from the outermost ``forward`` inwards, without torch's own."""
    frames = [(f.f_code, line) for f, line in traceback.walk_stack(None)][::-1]
    inside = list(itertools.dropwhile(lambda frame: frame[0].co_name != "forward", frames))
    lines = [
        f'File "{code.co_filename}", line {line}'
        for code, line in inside
        if not code.co_filename.startswith((_TORCH, __file__))
    ]
    return "\n".join(lines) or None


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _place(error: Exception) -> str:
    """Return the innermost line of the user's code in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = (_TORCH, __file__)
    user_frames = [f for f in frames if not f.filename.startswith(inside)]
    if not user_frames:
        return ""
    frame = user_frames[-1]
    return f" at {frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} ({frame.line})"
