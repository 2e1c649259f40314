"""Weights that are tiny beside their biases: their scale is raised until the bias fits."""

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

import qat
from qat.convert.calibrate import calibrate, calibrate_from, collect, fit_biases, saturated_biases
from qat.convert.integer import fold_norms
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.qparams import MARGIN
from qat.core.scheme import Method, TensorSpec
from qat.export.packed.network import load_packed, save_packed
from qat.layers.bias import LIMIT, ROOM, bias_codes
from qat.layers.walk import quantizers
from tests.export.integer_networks import images, scheme

METHODS = {
    "minmax": Method("minmax"),
    "lsq": Method("lsq", options={"start": "mse"}),
}


class TinyChannels(nn.Module):
    """Some channels' weights have died; their biases, or the batch norm's shift, live."""

    def __init__(self, norm=False, weight=1e-12):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, bias=not norm)
        self.norm = nn.BatchNorm2d(8) if norm else nn.Identity()
        self.head = nn.Linear(8, 5)
        shift = self.norm.bias if norm else self.conv.bias
        with torch.no_grad():
            self.conv.weight[:4] *= weight
            shift[:4] = torch.linspace(0.5, 2, 4)

    def forward(self, x):
        return self.head(self.norm(self.conv(x)).relu().mean((2, 3)))


def quantized(net, method="minmax", granularity="channel", norms=False, scale="free"):
    asked = scheme()
    weight = TensorSpec(granularity=granularity, quantizer=METHODS[method], scale=scale)
    asked = qat.Scheme(weight, asked.act, "same", "integer")
    return quantize(net, make_plan(net, asked, images()), keep_norms=norms)


def sqnr_db(qnet, net):
    with torch.no_grad():
        expected, found = net.eval()(images()), qnet.eval()(images())
    return 10 * float(torch.log10(expected.square().sum() / (found - expected).square().sum()))


def codes(qnet):
    """Bias codes of every layer, and the limit that they keep."""
    return {n: bias_codes(t.folded()[1], t.bias_step()) for n, t in layers(qnet).items()}


def layers(qnet):
    return {n: m for n, m in qnet.named_modules() if hasattr(m, "bias_step")}


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("scale", ["free", "power_of_two"])
@pytest.mark.parametrize("granularity", ["channel", "tensor"])
def test_calibration_leaves_no_bias_clamped(granularity, scale, norm):
    torch.manual_seed(0)
    net = TinyChannels(norm)
    qnet = quantized(net.eval(), granularity=granularity, scale=scale)
    calibrate(qnet, [images()])
    assert saturated_biases(qnet) == {}
    assert all(int(c.abs().max()) <= ROOM for c in codes(qnet).values())
    assert sqnr_db(qnet, net) > 35


def test_only_channels_that_need_it_are_raised_and_by_as_much_as_they_need():
    torch.manual_seed(0)
    qnet = quantized(TinyChannels())
    calibrate(qnet, [images()])
    conv = layers(qnet)["conv"]
    input_scale = conv.source[0].quantizer.qparams().scale.double().item()
    scales = conv.weight_quantizer.qparams().scale.double()
    by_hand = conv.bias.detach().double().abs() / (input_scale * 2.0**30)
    np.testing.assert_allclose(scales[:4].detach(), MARGIN * by_hand[:4].detach(), rtol=1e-5)
    largest = conv.weight.detach().double().abs().flatten(1).amax(1)
    np.testing.assert_allclose(scales[4:].detach(), largest[4:] / 127, rtol=1e-6)


def test_statistics_of_another_run_give_the_same_scales():
    torch.manual_seed(0)
    net = TinyChannels()
    first, second = quantized(net), quantized(net)
    calibrate_from(second, collect(first, [images()]))
    assert torch.equal(first(images()), second(images()))


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_a_training_keeps_them_at_every_step(method, norm):
    """The weights die while it trains: at no step is a bias clamped, nor at its end."""
    torch.manual_seed(0)
    net = TinyChannels(norm, weight=1.0).train()
    qnet = quantized(net, method, norms=norm)
    calibrate(qnet, [images()])
    conv = layers(qnet)["conv"]
    for step in range(4):
        with torch.no_grad():  # learned steps shrink as well
            conv.weight[:4] *= 1e-4
            if method == "lsq":
                conv.weight_quantizer.step[:4] *= 1e-4
        qnet.train()(images()).square().sum().backward()
        assert saturated_biases(qnet) == {}, step
        assert all(p.grad.isfinite().all() for p in qnet.parameters() if p.grad is not None)
    fold_norms(qnet.eval())
    assert saturated_biases(qnet) == {}
    fresh = quantized(net.eval(), method) if norm else quantized(net, method)
    if not norm:  # the scales of a state dict are the raised ones
        fresh.load_state_dict(qnet.state_dict())
        assert saturated_biases(fresh) == {}


def test_a_packed_file_and_a_runtime_compute_the_same(tmp_path):
    torch.manual_seed(0)
    net = TinyChannels()
    qnet = quantized(net).eval()
    calibrate(qnet, [images()])
    save_packed(qnet, tmp_path / "p.safetensors")
    restored = load_packed(tmp_path / "p.safetensors", TinyChannels())
    fit_biases(restored)  # what was raised once asks for no second raise
    assert torch.equal(restored.eval()(images()), qnet(images()))
    qat.export_onnx(qnet, tmp_path / "n.onnx", images())
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx")
    [logits] = session.run(None, {session.get_inputs()[0].name: images().numpy()})
    step = next(q for n, s, q in quantizers(qnet) if n == "head" and s == "tensor").qparams().scale
    np.testing.assert_allclose(logits, qnet(images()).detach(), atol=1.01 * float(step))


def test_a_bias_that_was_made_too_large_since_is_counted_by_layer():
    torch.manual_seed(0)
    qnet = quantized(TinyChannels(weight=1.0))
    calibrate(qnet, [images()])
    conv = layers(qnet)["conv"]
    with torch.no_grad():
        conv.bias[:3] = 3.0 * LIMIT * conv.bias_step().max().item()
    assert saturated_biases(qnet) == {"conv": 3}
    fit_biases(qnet)
    assert saturated_biases(qnet) == {}


class Averaged(nn.Module):
    """A plane whose mean cancels: the pool's scale is far below that of its input."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 2, 1), nn.Linear(2, 3)

    def forward(self, x):
        return self.head(self.conv(x).mean((2, 3)))


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 1.0, 1e6])
def test_a_runtime_computes_averages_of_any_ratio_of_scales(factor, tmp_path):
    """onnxruntime's QLinearGlobalAveragePool raises beyond 256 and below 2^-32."""
    torch.manual_seed(0)
    net = Averaged()
    qnet = quantize(net, make_plan(net, scheme(), images())).eval()
    calibrate(qnet, [images()])
    pooled = next(q for name, _, q in quantizers(qnet) if name == "mean")
    pooled.set_qparams(pooled.qparams().scale * factor, pooled.qparams().zero_point)
    fit_biases(qnet)
    qat.export_onnx(qnet, tmp_path / "n.onnx", images())
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx")
    [logits] = session.run(None, {session.get_inputs()[0].name: images().numpy()})
    step = next(q for n, s, q in quantizers(qnet) if n == "head" and s == "tensor").qparams().scale
    np.testing.assert_allclose(logits, qnet(images()).detach(), atol=1.01 * float(step))
