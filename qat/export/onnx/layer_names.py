"""Names in a float ONNX file that contain the layer, so that times can be assigned to layers.

A runtime fuses a convolution with the operations after it and names the result after one of the
nodes, or (onnxruntime in its blocked layout) after the output tensor of the last fused node.
Therefore nodes are named by their module, ``conv1/node_conv2d``, and tensors by the layer whose
result they contain, ``conv1/relu``. If a node belongs to no module, the part before the slash is
empty.
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

    The name of a layer is taken from its weight: if batch norm is folded into it, torch's own
    annotation has the name of the norm.
    """
    weights = {value.name for value in graph.initializer if value.name.endswith(_WEIGHT)}
    users = Counter(name for node in graph.node for name in node.input)
    outputs = {output.name for output in graph.output}
    layer_of_tensor: dict[str, str] = {}
    for node in graph.node:
        own = next((name for name in node.input if name in weights), None)
        layer = own.removesuffix(_WEIGHT) if own else ""
        if not layer and node.op_type in _FUSED:
            layer = next(
                (layer_of_tensor[n] for n in node.input if n in layer_of_tensor and users[n] == 1),
                "",
            )
        if layer:
            layer_of_tensor |= dict.fromkeys(set(node.output) - outputs, layer)
        node.name = f"{layer if own else _module_of(node)}/{node.name}"
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [
                f"{layer_of_tensor[name]}/{name}" if name in layer_of_tensor else name
                for name in names
            ]


def _module_of(node: onnx.NodeProto) -> str:
    """The innermost module in torch's annotation of a node; empty for the network itself."""
    annotation = {entry.key: entry.value for entry in node.metadata_props}
    scopes = ast.literal_eval(annotation.get(_SCOPES, "[]"))
    return str(scopes[-2]) if len(scopes) > 1 else ""
