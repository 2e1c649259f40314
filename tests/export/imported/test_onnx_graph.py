"""Which layer or operation a quantized tensor of a graph belongs to."""

import numpy as np
import pytest
from onnx import TensorProto

from qat.base.errors import InputError
from qat.export.imported.onnx_graph import read_graph
from tests.export.imported_files import WEIGHTS, QdqWriter, small_qdq


def test_layers_with_their_weights_and_inputs():
    contents = read_graph(small_qdq().graph)
    scales = {k: v.encoding.scale for k, v in contents.weights.items()}
    assert {name: len(s) for name, s in scales.items()} == {
        f"{name}.weight": len(own) for name, own in WEIGHTS.items()
    }
    assert scales["stem.weight"] == pytest.approx(WEIGHTS["stem"])
    assert contents.weights["body.weight"].encoding.bits == 4
    assert contents.weights["head.weight"].outputs == 5
    inputs = {k: (v.encoding.scale[0], v.encoding.zero_point) for k, v in contents.inputs.items()}
    assert inputs == {
        "stem.weight": (pytest.approx(0.03), (120,)),
        "body.weight": (pytest.approx(0.02), (0,)),
        "head.weight": (pytest.approx(0.025), (64,)),
    }


def test_what_computes_each_tensor():
    computed = {k: v.computed for k, v in read_graph(small_qdq().graph).tensors.items()}
    assert computed == {
        "images": ("input",),
        "relu_out": ("conv", "stem.weight"),
        "body_out": ("conv", "body.weight"),
        "sum": ("add", "relu_out", "body_out"),
        "mean_out": ("pool", "sum"),
        "logits_raw": ("linear", "head.weight"),
    }


def test_a_weight_may_be_stored_as_floats_that_are_rounded():
    w = QdqWriter()
    x = w.rounded("images", 0.5, 0)
    w.constant("conv.weight", np.zeros((2, 3, 1, 1), np.float32))
    weight = w.rounded("conv.weight", 0.25, 0, TensorProto.INT8, low=-7, high=7)
    y = w.node("Conv", [x, weight], "y", "conv")
    y = w.rounded(y, 1.0, 0)
    contents = read_graph(w.model(w.node("Flatten", [y], "flat"), classes=128).graph)
    one = contents.weights["conv.weight"].encoding
    assert (one.bits, one.narrow, one.scale) == (4, True, (0.25,))
    assert contents.weights["conv.weight"].outputs == 2
    assert list(contents.tensors) == ["images", "y"]


def matrix(op, transposed, axis, scales):
    """A linear layer with a weight of (4, 2) or (2, 4)."""
    w = QdqWriter()
    shape = (4, 192) if transposed else (192, 4)
    flat = w.rounded(w.node("Flatten", ["images"], "flat"), 0.5, 0)
    weight = w.weight("fc.weight", np.ones(shape, np.int64), scales, axis=axis)
    more = {"transB": 1} if op == "Gemm" and transposed else {}
    return w.model(w.node(op, [flat, weight], "logits", "fc", **more), classes=4)


@pytest.mark.parametrize(
    ("op", "transposed", "axis"), [("Gemm", True, 0), ("Gemm", False, 1), ("MatMul", False, 1)]
)
def test_scales_of_outputs_of_a_matrix(op, transposed, axis):
    contents = read_graph(matrix(op, transposed, axis, [0.1, 0.2, 0.3, 0.4]).graph)
    weight = contents.weights["fc.weight"]
    assert (weight.outputs, len(weight.encoding.scale)) == (4, 4)
    assert contents.inputs["fc.weight"].encoding.scale == (0.5,)


def test_scales_along_the_inputs_are_refused():
    model = matrix("MatMul", False, 0, [0.5] * 192)
    with pytest.raises(InputError, match=r"'fc.weight' has scales along axis 0: export it with"):
        read_graph(model.graph)


def test_a_pool_of_maxima_has_the_tensor_of_its_input():
    w = QdqWriter()
    x = w.rounded("images", 0.5, 3)
    x = w.rounded(w.node("MaxPool", [x], "pool", kernel_shape=[8, 8]), 0.5, 3)
    x = w.rounded(w.node("Flatten", [x], "flat"), 0.25, 3)
    weight = w.weight("fc.weight", np.ones((5, 3), np.int64), [0.5])
    contents = read_graph(w.model(w.node("Gemm", [x, weight], "y", "fc", transB=1)).graph)
    assert list(contents.tensors) == ["images"]
    assert contents.ignored == {"flat": "another scale of the values of images"}
    # The layer reads what is quantized last.
    assert contents.inputs["fc.weight"].encoding.scale == (0.25,)


def test_of_a_layer_before_and_after_its_rectifier_both_are_of_the_layer():
    w = QdqWriter()
    x = w.rounded("images", 0.5, 3)
    weight = w.weight("conv.weight", np.ones((2, 3, 1, 1), np.int64), [0.5])
    y = w.rounded(w.node("Conv", [x, weight], "y", "conv"), 1.0, 100)
    y = w.rounded(w.node("Relu", [y], "r"), 2.0, 0)
    contents = read_graph(w.model(w.node("Flatten", [y], "flat"), classes=128).graph)
    own = {k: v.computed for k, v in contents.tensors.items() if k != "images"}
    assert own == {"y": ("conv", "conv.weight"), "r": ("conv", "conv.weight")}


def test_a_bias_is_listed():
    w = QdqWriter()
    x = w.rounded("images", 0.5, 3)
    weight = w.weight("conv.weight", np.ones((2, 3, 1, 1), np.int64), [0.5])
    bias = w.weight("conv.bias", np.ones(2, np.int64), 0.25, TensorProto.INT32)
    y = w.node("Conv", [x, weight, bias], "y", "conv")
    contents = read_graph(w.model(w.node("Flatten", [y], "flat"), classes=128).graph)
    assert contents.ignored == {"conv.bias": "a bias"}
