"""An integer network is evaluated on codes: its sums are whole numbers, whatever their order."""

import numpy as np
import torch

from tests.export.integer_networks import Residual, calibrated, images, scheme


def seen(qnet, name, x):
    """What a layer is given and gives."""
    found = {}
    layer = qnet.get_submodule(name)
    hook = layer.register_forward_hook(lambda _, given, y: found.update(x=given[0], y=y))
    with torch.no_grad():
        qnet(x)
    hook.remove()
    return layer, found["x"], found["y"]


def test_a_linear_layers_sums_are_those_of_whole_numbers():
    qnet = calibrated(Residual(), scheme(4, symmetric=False))
    layer, x, y = seen(qnet, "head", images(6))
    step_x = layer.source[0].quantizer.qparams().scale.numpy().astype(np.float64)
    own = layer.weight_quantizer.qparams()
    step_w = own.scale.numpy().reshape(-1).astype(np.float64)
    weight = layer.weight.detach().numpy().astype(np.float64)
    zero = own.zero_point.numpy().reshape(-1, 1)
    codes = np.clip(np.rint(weight / step_w[:, None]) + zero, own.grid.qmin, own.grid.qmax) - zero
    inputs = np.rint(x.numpy().astype(np.float64) / step_x)
    bias = np.rint(layer.bias.detach().numpy() / (step_x * step_w))
    sums = inputs @ codes.T + bias
    assert np.abs(sums).max() < 2**24
    np.testing.assert_allclose(y.numpy(), sums * step_x * step_w, rtol=3e-7)


def test_the_order_of_channels_does_not_show():
    """In float sums of the same numbers in another order differ in their last bits."""
    qnet = calibrated(Residual())
    layer, x, y = seen(qnet, "second", images(6))
    order = torch.randperm(8, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        layer.weight.copy_(layer.weight[:, order])
        again = layer(x[:, order].contiguous())
    assert torch.equal(again, y)


def test_the_gradient_mode_chooses_the_arithmetic():
    """Without gradients the product is that of codes, with them that of rounded floats."""
    qnet = calibrated(Residual())
    layer, x, y = seen(qnet, "head", images(6))
    of_codes = layer.product_of_codes(torch.nn.functional.linear, x, layer.bias_step())
    assert torch.equal(y, of_codes)
    of_floats = torch.nn.functional.linear(x, *layer.quantized())
    assert torch.equal(layer(x), of_floats)
    torch.testing.assert_close(of_codes, of_floats, rtol=1e-5, atol=1e-6)


def test_where_a_gradient_is_asked_for_it_is_given():
    qnet = calibrated(Residual())
    x = images(6)
    with torch.no_grad():
        expected = qnet(x)
    y = qnet(x)
    torch.testing.assert_close(y, expected, rtol=0, atol=0.02)
    y.square().mean().backward()
    assert qnet.get_submodule("second").weight.grad.abs().sum() > 0
