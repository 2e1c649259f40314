"""Dynamic ranges as ONNX files: the operators' own arithmetic in numpy, and torch, as witnesses."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.export.errors import ExportError
from qat.export.onnx.dynamic import dynamic_onnx
from qat.export.runtimes.registry import make_runtime
from tests.export.integer_networks import Residual, images


def act(bits=8):
    return TensorSpec(bits=bits, signed=False, symmetric=False, quantizer=Method("dynamic"))


def dynamic(net, weight=None, inputs=None, first_last="same"):
    weight = weight or TensorSpec(bits=8, granularity="channel")
    asked = Scheme(weight, inputs or act(), first_last=first_last)
    qnet = quantize(net.eval(), make_plan(net, asked, images()))
    calibrate(qnet, [images()])
    return qnet.eval()


def run(model, x, optimize=True):
    return make_runtime().load(model.SerializeToString(), 1, optimize).run(x.numpy())


@pytest.mark.slow
@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("bits", [8, 4, 2])
def test_torch_and_runtime_agree(bits, optimize):
    qnet = dynamic(Residual(), TensorSpec(bits=bits, granularity="channel"))
    model = dynamic_onnx(qnet, images())
    with torch.no_grad():
        expected = qnet(images(8)).numpy()
    np.testing.assert_allclose(run(model, images(8), optimize), expected, atol=1e-4)


def test_a_linear_layer_computes_what_its_operators_say():
    """DynamicQuantizeLinear, integer product, both scales, as the ONNX pages define them."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 6))
    qnet = dynamic(net)
    step = qnet[1].weight_quantizer.qparams().scale.numpy().reshape(-1)
    x = images(5)
    flat = x.flatten(1).numpy()
    low, high = min(flat.min(), 0), max(flat.max(), 0)
    scale = np.float32((high - low) / 255)
    zero = np.rint(-low / scale)
    codes = np.clip(np.rint(flat / scale) + zero, 0, 255) - zero
    whole = np.clip(np.rint(net[1].weight.detach().numpy() / step[:, None]), -128, 127)
    expected = codes @ whole.T * scale * step + net[1].bias.detach().numpy()
    np.testing.assert_allclose(run(dynamic_onnx(qnet, x), x), expected, atol=1e-4)


def test_products_are_integer_and_weights_are_stored_at_their_width():
    model = dynamic_onnx(dynamic(Residual(), TensorSpec(bits=4, granularity="channel")), images())
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("ConvInteger") == 2
    assert operators.count("MatMulInteger") == 1
    assert not {"Conv", "Gemm", "MatMul"} & set(operators)
    weights = {t.name: t.data_type for t in model.graph.initializer if t.name.endswith("/weight")}
    assert set(weights.values()) == {onnx.TensorProto.INT4}
    assert len(weights) == 3
    session = make_runtime().load(model.SerializeToString(), 1)
    assert sum(node.integer for node in session.nodes()) >= 3


REFUSED = {
    "dynamic ranges have 8 bits": {"inputs": act(4)},
    "symmetric=true": {"weight": TensorSpec(bits=8, symmetric=False)},
    "granularity=tensor or channel": {
        "weight": TensorSpec(bits=8, granularity="group", group_size=1)
    },
    "has float weights or inputs": {"first_last": "float", "weight": TensorSpec(bits=32)},
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_the_operators_cannot_do_is_refused_with_the_way_out(words):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(ExportError, match=words):
        dynamic_onnx(dynamic(net, **REFUSED[words]), images())
