"""Codes of single nodes: types, bounds, axes."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from qat.base.errors import InputError
from qat.export.imported.onnx_codes import codes_of


def node_of(kind=TensorProto.UINT8, zero=0, scale=0.5, **attributes):
    inputs = ["x", "s"] + ([] if zero is None else ["z"])
    tensors = {"s": numpy_helper.from_array(np.float32(scale), "s")}
    if zero is not None:
        values = np.array(zero)
        tensors["z"] = helper.make_tensor("z", kind, values.shape, values.ravel().tolist())
    return helper.make_node("QuantizeLinear", inputs, ["q"], **attributes), tensors


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        (TensorProto.INT8, -128, 127),
        (TensorProto.UINT8, 0, 255),
        (TensorProto.INT4, -8, 7),
        (TensorProto.UINT4, 0, 15),
        (TensorProto.INT16, -32768, 32767),
        (TensorProto.UINT16, 0, 65535),
        (TensorProto.INT2, -2, 1),
    ],
)
def test_each_type_has_its_codes(kind, low, high):
    codes = codes_of(*node_of(kind), "x")
    assert (codes.low, codes.high, codes.scale, codes.zero_point) == (low, high, (0.5,), (0,))


def test_without_a_zero_point_it_is_0_of_the_declared_type():
    assert codes_of(*node_of(zero=None), "x").high == 255
    declared = node_of(zero=None, output_dtype=int(TensorProto.INT16))
    assert codes_of(*declared, "x").low == -32768


def test_a_clip_of_the_codes_is_a_narrower_grid():
    codes = codes_of(*node_of(zero=128), "x")
    assert codes.clipped(120, 135).encoding().bits == 4
    assert codes.clipped(None, 255).encoding().bits == 8
    # Up to the code of 6, as ReLU6 clips: no width has these codes.
    assert codes.clipped(128, 200).encoding() == codes.encoding()


def test_scales_follow_a_transposed_weight():
    node, tensors = node_of(TensorProto.INT8, [0, 0], [0.5, 0.25], axis=1)
    tensors["x"] = numpy_helper.from_array(np.zeros((3, 2), np.int8), "x")
    codes = codes_of(node, tensors, "x")
    turned = codes.transposed((1, 0))
    assert (codes.axis, codes.shape, turned.axis, turned.shape) == (1, (3, 2), 0, (2, 3))
    negative = node_of(TensorProto.INT8, [0, 0], [0.5, 0.25], axis=-1)
    assert codes_of(negative[0], tensors, "x").axis == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": TensorProto.FLOAT8E4M3FN, "zero": 0.0}, "codes of type FLOAT8E4M3FN"),
        ({"kind": TensorProto.INT32}, "codes of type INT32"),
        ({"block_size": 4}, "'x' has blocks of 4 values"),
        ({"scale": float("nan")}, "'x' has the scale nan"),
        ({"scale": 0.0}, "'x' has the scale 0.0"),
        ({"scale": -0.5}, "'x' has the scale -0.5"),
        ({"scale": [0.5, 0.5], "zero": [1, 2, 3]}, "'x' has 2 scales and 3 zero points"),
    ],
)
def test_a_wrong_node_is_refused_by_name(changes, reason):
    with pytest.raises(InputError, match=reason):
        codes_of(*node_of(**changes), "x").encoding()


def test_a_zero_point_that_the_graph_computes_is_refused():
    node, tensors = node_of()
    del tensors["z"]
    with pytest.raises(InputError, match=r"the zero point 'z' is computed by the graph"):
        codes_of(node, tensors, "x")
