"""A network as a graph of operations, by torch.fx (Reed et al. 2022, arXiv:2112.08429)."""

import copy
import os
import re
import traceback
from pathlib import Path

import torch
from torch import fx, nn
from torchvision.ops import StochasticDepth, stochastic_depth

from qat.base.errors import InputError
from qat.core.evaluation_mode import evaluating
from qat.graph.modes import (
    TracedNetwork,
    first_difference,
    hold_evaluation,
    keep_training_alone,
)
from qat.graph.rewrite import (
    defaults,
    dropouts_as_modules,
    without_arguments,
    without_side_effects,
)

_TORCH = f"{Path(torch.__file__).parent}{os.sep}"


class TraceError(InputError):
    """The network's graph cannot be read: its ``forward`` depends on values."""


class _Tracer(fx.Tracer):
    """Every layer that quantization knows is a leaf; each operation remembers its line.

    So is what drops parts of a network in training: traced through, in evaluation mode, it would
    be gone for good.
    """

    record_stack_traces = True

    def is_leaf_module(self, module: nn.Module, qualified_name: str) -> bool:
        """Layers of torch, and quantized ones, which bear a ``quantized_leaf``."""
        if getattr(module, "quantized_leaf", False) or isinstance(module, StochasticDepth):
            return True
        return super().is_leaf_module(module, qualified_name)


def trace(net: nn.Module) -> fx.GraphModule:
    """A traced copy of a network as it computes in evaluation mode.

    Parameters and submodules keep their names, and each its own training flag. A functional
    dropout becomes a module, which drops in training; so does a layer that passes its input on in
    evaluation mode alone. Layers that the network's own ``train()`` keeps in evaluation mode stay
    so. What reads a tensor after an operation in place reads that operation's result; arguments
    behind the image have their defaults.

    Raises:
        TraceError: If ``forward`` decides by the values of tensors, or drops in evaluation mode
            too; its line is named.
    """
    own = _copied(net)
    hold_evaluation(own)
    keep_training_alone(own)
    with evaluating(own):
        graph = raw_graph(own)
    without_arguments(graph)
    for node in dropouts_as_modules(own, graph):
        raise TraceError(
            f"dropout at {where(node)} drops in evaluation mode too: give it training=self.training"
        )
    without_side_effects(own, graph)
    traced = TracedNetwork(own, graph, type(net).__name__)
    for name, module in traced.named_modules():
        if name:
            module.training = own.get_submodule(name).training
    traced.training = net.training
    return traced


def check_training(net: nn.Module) -> None:
    """Hold what a network computes in training against what it does in evaluation mode.

    A traced network computes the latter in both modes, but for dropouts and the layers that
    :func:`trace` keeps.

    Raises:
        TraceError: If training computes something else; its line is named.
    """
    own = _copied(net)
    keep_training_alone(own)
    graphs = []
    for training in (False, True):
        own.train(training)
        graphs.append(raw_graph(own))
    if (node := first_difference(*graphs)) is not None:
        what = node.target if isinstance(node.target, str) else node.name
        raise TraceError(
            f"{type(net).__name__} computes otherwise in training: {what} at {where(node)}; in "
            "placement integer training follows the graph of evaluation mode: put it into a layer "
            "that passes its input on in evaluation mode, or use scheme.placement=academic"
        )


def raw_graph(net: nn.Module) -> fx.Graph:
    """The graph of a network in its present mode.

    Raises:
        TraceError: If ``forward`` decides by the values of tensors; its line is named.
    """
    tracer = _Tracer(autowrap_functions=(stochastic_depth,))
    try:
        return tracer.trace(net, defaults(net))
    except Exception as error:
        raise TraceError(
            f"cannot trace {type(net).__name__}: {_reason(error)}{_place(error)}; rewrite it "
            "without conditions on tensors, or use scheme.placement=academic: per-layer plans "
            "still work, only graph planning refuses"
        ) from error


def _copied(net: nn.Module) -> nn.Module:
    """A copy; torch copies no weight that was computed from others, as weight_norm does.

    Raises:
        TraceError: If there is such a weight; the layer is named.
    """
    for name, module in net.named_modules():
        for attribute, value in vars(module).items():
            if isinstance(value, torch.Tensor) and value.grad_fn is not None:
                raise TraceError(
                    f"layer {name!r}, a {type(module).__name__}, computes its {attribute} from "
                    "other parameters (weight_norm?), and cannot be copied: take that off first "
                    "(torch.nn.utils.remove_weight_norm)"
                )
    return copy.deepcopy(net)


def where(node: fx.Node) -> str:
    """``file.py:12``, the line of the user's ``forward`` that an operation comes from."""
    places = re.findall(r'File "([^"]+)", line (\d+)', node.stack_trace or "")
    own = [(file, line) for file, line in places if not file.startswith(_TORCH)]
    if not own:
        return "an unknown line"
    file, line = own[-1]
    return f"{file.rsplit('/', 1)[-1]}:{line}"


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    inside = (_TORCH, __file__)
    own = [f for f in frames if not f.filename.startswith(inside)]
    if not own:
        return ""
    frame = own[-1]
    return f" at {frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} ({frame.line})"
