"""Names in a float ONNX file that tell the layer, so that a runtime's times can be told by layer.

A runtime fuses a convolution with what follows it and names the result after a node, or
(onnxruntime in its blocked layout) after the tensor that the last of the fused nodes gives. So
nodes are named ``conv1/node_conv2d`` by their own module, and tensors ``conv1/relu`` by the layer
whose result they hold. Nothing stands before the slash of what belongs to no module.
"""

import ast
from collections import Counter

import onnx

_SCOPES = "pkg.torch.onnx.name_scopes"
_WEIGHT = ".weight"
_FUSED = frozenset(
    ("Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Add", "Mul")
)


def name_by_layers(graph: onnx.GraphProto) -> None:
    """Rename nodes and tensors, in place.

    A layer is known by its weight: where batch norm is folded in, torch notes the norm's name.
    """
    weights = {value.name for value in graph.initializer if value.name.endswith(_WEIGHT)}
    users = Counter(name for node in graph.node for name in node.input)
    outputs = {output.name for output in graph.output}
    held: dict[str, str] = {}
    for node in graph.node:
        own = next((name for name in node.input if name in weights), None)
        layer = own.removesuffix(_WEIGHT) if own else ""
        if not layer and node.op_type in _FUSED:
            layer = next((held[n] for n in node.input if n in held and users[n] == 1), "")
        if layer:
            held |= dict.fromkeys(set(node.output) - outputs, layer)
        node.name = f"{layer if own else _module_of(node)}/{node.name}"
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [f"{held[name]}/{name}" if name in held else name for name in names]


def _module_of(node: onnx.NodeProto) -> str:
    """The innermost module that torch notes at a node; empty for the network itself."""
    noted = {entry.key: entry.value for entry in node.metadata_props}
    scopes = ast.literal_eval(noted.get(_SCOPES, "[]"))
    return str(scopes[-2]) if len(scopes) > 1 else ""
