"""Dynamic ranges: held against ONNX's own reference of DynamicQuantizeLinear."""

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.dynamic import DynamicQuantizer


def dynamic(**settings):
    spec = TensorSpec(**{"bits": 8, "signed": False, "symmetric": False, **settings})
    return DynamicQuantizer(spec, Layout())


def onnx_round_trip(x):
    """DynamicQuantizeLinear, then DequantizeLinear, by ONNX's reference implementation."""
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [info("x", TensorProto.FLOAT, None)], [info("y", TensorProto.FLOAT, None)]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    return ReferenceEvaluator(model).run(None, {"x": x})[0]


@pytest.mark.parametrize("shift", [-3.0, -0.5, 0.0, 0.5, 3.0])
def test_equals_onnx_to_a_step(shift):
    x = torch.randn(8, 3, 6, 6, generator=torch.Generator().manual_seed(2)) + shift
    rounded, expected = dynamic()(x).numpy(), onnx_round_trip(x.numpy())
    step = (max(x.max().item(), 0) - min(x.min().item(), 0)) / 255
    # A value on the edge of two codes may round apart: scales differ in the last bit.
    assert np.mean(np.abs(rounded - expected) > 1e-5) < 0.002
    assert np.abs(rounded - expected).max() <= step * 1.001


def test_the_range_is_that_of_this_very_batch():
    quantizer = dynamic(bits=2)
    assert quantizer(torch.tensor([0.0, 3.0])).tolist() == [0.0, 3.0]
    assert quantizer(torch.tensor([0.0, 30.0])).tolist() == [0.0, 30.0]
    assert not list(quantizer.parameters())


def test_zeros_stay_zeros():
    assert not dynamic()(torch.zeros(4)).any()


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN or infinity"):
        dynamic()(torch.tensor([torch.nan, 1.0]))


def test_it_has_no_scale_before_an_input():
    with pytest.raises(ValueError, match="no scale before it sees its input"):
        dynamic().qparams()


def test_what_it_would_ignore_is_refused():
    with pytest.raises(ValueError, match="would ignore the observer 'mse'"):
        dynamic(observer=Method("mse"))
    with pytest.raises(ValueError, match="set granularity=tensor"):
        DynamicQuantizer(TensorSpec(signed=True), Layout.of_activation("channel", 3))
