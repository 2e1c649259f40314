"""Names of nodes and tensors, on a graph written by hand."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from qat.export.onnx.layer_names import name_by_layers
from qat.export.runtimes.base import layer_of


def node(op, inputs, output, name, scopes):
    """A node with torch's annotation of its modules."""
    one = helper.make_node(op, inputs, [output], name=name)
    one.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=str(scopes))
    return one


def graph():
    """conv, relu, add of the input, flatten, head; batch norm is folded into conv."""
    weights = [
        numpy_helper.from_array(np.zeros(shape, np.float32), name)
        for name, shape in (("conv.weight", (2, 2, 1, 1)), ("head.weight", (3, 8)))
    ]
    nodes = [
        node("Conv", ["images", "conv.weight"], "c", "node_conv", ["", "norm", "batch_norm"]),
        node("Relu", ["c"], "r", "node_relu", ["", "relu"]),
        node("Add", ["r", "images"], "a", "node_add", ["", "add"]),
        node("Flatten", ["a"], "f", "node_flatten", ["", "block.flat", "flatten"]),
        node("Gemm", ["f", "head.weight"], "logits", "node_gemm", ["", "head", "linear"]),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 2, 2, 2])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])
    return helper.make_graph(nodes, "net", [images], [logits], weights)


def test_nodes_have_their_layer_or_module_before_the_slash():
    net = graph()
    name_by_layers(net)
    assert [one.name for one in net.node] == [
        *("conv/node_conv", "/node_relu", "/node_add"),
        *("block.flat/node_flatten", "head/node_gemm"),
    ]


def test_tensors_have_the_layer_whose_result_they_are():
    net = graph()
    name_by_layers(net)
    assert [list(one.output) for one in net.node] == [
        *(["conv/c"], ["conv/r"], ["conv/a"], ["f"], ["logits"])  # outputs keep their names
    ]
    assert list(net.node[2].input) == ["conv/r", "images"]
    assert layer_of([net.node[1].output[0]], {"conv", "head"}) == "conv"
