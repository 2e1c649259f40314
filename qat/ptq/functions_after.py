"""The function that follows a layer and alone reads its output: batch norm and activation."""

from collections.abc import Mapping

from torch import fx, nn

from qat.graph.arguments import form_of
from qat.graph.operations import ELEMENTWISE
from qat.graph.trace import TraceError, trace
from qat.layers.twin import QuantTwin

_KINDS = (*ELEMENTWISE, "clamp", "norm", "identity")


def functions_after(qnet: nn.Module) -> Mapping[str, nn.Module]:
    """What stands between each quantized layer and the next reader of its output.

    Args:
        qnet: A quantized network; it is not changed, and the result shares nothing with it.

    Returns:
        Layer → the chain of batch norm and activation functions, each of which is the only reader
        of the one before. Layers without such a chain are left out, and all layers of a network
        that cannot be traced. A layer that is called several times has the chain of its first call.

    Example:
        >>> from qat.convert.rules import make_plan
        >>> from qat.convert.swap import quantize
        >>> from qat.core.scheme import Scheme
        >>> import torch
        >>> net, x = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)), torch.ones(4, 2)
        >>> after = functions_after(quantize(net, make_plan(net, Scheme(), x)))
        >>> {name: function(torch.tensor([-1.0, 2.0])).tolist() for name, function in after.items()}
        {'0': [0.0, 2.0]}
    """
    try:
        traced = trace(qnet).eval()
    except TraceError:
        return {}
    chains: dict[str, nn.Module] = {}
    for node in traced.graph.nodes:
        if isinstance(_module(traced, node), QuantTwin) and str(node.target) not in chains:
            nodes = _chain(traced, node)
            if nodes:
                chains[str(node.target)] = _as_module(traced, node, nodes)
    return chains


def _chain(traced: fx.GraphModule, node: fx.Node) -> list[fx.Node]:
    nodes: list[fx.Node] = []
    while len(node.users) == 1:
        reader = next(iter(node.users))
        if reader.all_input_nodes != [node] or not _is_function(traced, reader):
            break
        nodes.append(reader)
        node = reader
    return nodes


def _is_function(traced: fx.GraphModule, node: fx.Node) -> bool:
    form = form_of(node, _module(traced, node)) if node.op.startswith("call") else None
    return form is not None and form.kind in _KINDS


def _as_module(traced: fx.GraphModule, layer: fx.Node, nodes: list[fx.Node]) -> fx.GraphModule:
    graph = fx.Graph()
    copies = {layer: graph.placeholder("x")}
    for node in nodes:
        copies[node] = graph.node_copy(node, lambda each: copies[each])
    graph.output(copies[nodes[-1]])
    return fx.GraphModule(traced, graph).eval()


def _module(traced: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    return traced.get_submodule(str(node.target)) if node.op == "call_module" else None
