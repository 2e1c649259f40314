"""Float networks as ONNX files, compared with torch."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from qat.export.errors import ExportError
from qat.export.onnx.floating import float_onnx, half_onnx
from qat.export.runtimes.registry import make_runtime
from tests.export.integer_networks import Residual, images


def logits(model, x):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"images": x.numpy()})[0]


def types_of(model):
    return {onnx.TensorProto.DataType.Name(tensor.data_type) for tensor in model.graph.initializer}


@pytest.fixture(scope="module")
def residual():
    """A float network and its model, exported with a single image."""
    net = Residual().eval()
    return net, float_onnx(net, images(1))


@pytest.mark.parametrize("count", [1, 3])
def test_it_computes_what_torch_does_for_any_number_of_images(residual, count):
    net, model = residual
    with torch.no_grad():
        expected = net(images(count)).numpy()
    np.testing.assert_allclose(logits(model, images(count)), expected, atol=1e-5)


def test_the_network_is_left_as_it_was():
    net = Residual().train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    float_onnx(net, images())
    assert net.training
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


def test_unfolded_parameters_keep_name_and_value():
    net = Residual().eval()
    found = {
        t.name: onnx.numpy_helper.to_array(t)
        for t in float_onnx(net, images(), fold=False).graph.initializer
    }
    for name, parameter in net.named_parameters():
        np.testing.assert_array_equal(found[name], parameter.detach().numpy(), err_msg=name)


def test_no_file_of_this_machine_is_named_in_it(residual):
    content = residual[1].SerializeToString()
    assert b"site-packages" not in content
    assert b".py" not in content


def test_half_precision_is_half_as_large_and_near():
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 256), nn.ReLU(), nn.Linear(256, 5)).eval()
    whole = float_onnx(net, images())
    half = half_onnx(whole)
    assert types_of(half) == {"FLOAT16", "INT64"}  # 64 bits: of a shape
    assert half.ByteSize() < 0.55 * whole.ByteSize()
    assert half.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    np.testing.assert_allclose(logits(half, images()), logits(whole, images()), atol=5e-3)


def test_a_network_that_torch_cannot_export_is_refused_in_one_line():
    class Decides(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(ExportError, match=r"^torch cannot export Decides to ONNX: .+") as caught:
        float_onnx(Decides(), images())
    assert "\n" not in str(caught.value)


def test_times_of_a_float_network_are_assigned_to_its_layers(residual):
    """Fused with batch norm, ReLU and sum as it likes, a convolution's time has its name."""
    content = residual[1].SerializeToString()
    times = make_runtime().load(content, threads=1).layer_times_ms(images(1).numpy(), repeats=5)
    assert {"conv", "second", "head"} <= times.keys()
