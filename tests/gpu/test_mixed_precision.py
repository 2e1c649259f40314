"""bf16 computes the layers; quantizers compute in float32."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.layers.walk import quantizers
from qat.quantizers.registry import make_quantizer
from qat.training.step import loss_and_logits
from tests.gpu.conftest import calibrated, images_and_labels


def bf16(device):
    return torch.autocast(device.type, dtype=torch.bfloat16)


METHODS = [
    pytest.param({"quantizer": Method("lsq"), "signed": True}, id="lsq"),
    pytest.param({"signed": True}, id="minmax"),
    pytest.param({"signed": False, "symmetric": False}, id="minmax, asymmetric"),
    pytest.param({"quantizer": Method("dynamic"), "signed": True}, id="dynamic"),
]


@pytest.mark.parametrize("spec", METHODS)
def test_a_tensor_of_bf16_is_rounded_in_float32(device, spec):
    """Its values are exact in float32, so the result is that of the same values in float32."""
    quantizer = make_quantizer(TensorSpec(bits=8, **spec), Layout()).to(device).eval()
    if spec.get("quantizer") != Method("dynamic"):
        quantizer.set_range(-2.0, 2.1)
    x = torch.randn(4, 3, 9, 9, generator=torch.Generator().manual_seed(1)).to(device)
    half = x.bfloat16()
    expected = quantizer(half.float())
    with bf16(device):
        actual = quantizer(half)
    assert actual.dtype == torch.float32
    assert torch.equal(actual, expected)


@pytest.mark.parametrize("method", ["lsq", "minmax"])
def test_gradients_of_bf16_are_those_of_float32(device, method):
    spec = TensorSpec(bits=4, signed=True, quantizer=Method(method))
    quantizer = make_quantizer(spec, Layout()).to(device).eval()
    quantizer.set_qparams(torch.tensor([0.21], device=device), torch.zeros(1, device=device))
    x = torch.randn(4, 3, 9, 9, generator=torch.Generator().manual_seed(1)).to(device).bfloat16()
    gradients = []
    for own in (x.float().requires_grad_(), x.clone().requires_grad_()):
        quantizer.zero_grad()
        quantizer(own).square().sum().backward()
        gradients.append((own.grad, [p.grad.clone() for p in quantizer.parameters()]))
    (wide, steps), (narrow, narrow_steps) = gradients
    assert narrow.dtype == torch.bfloat16
    assert torch.equal(narrow, wide.bfloat16())
    torch.testing.assert_close(narrow_steps, steps)


@pytest.mark.parametrize("placement", ["academic", "integer"])
@pytest.mark.parametrize("method", ["lsq", "minmax"])
@pytest.mark.parametrize("mixed", [False, True])
def test_a_training_step(device, method, placement, mixed):
    net = calibrated(method, placement)[0].to(device).train()
    images, labels = (each.to(device) for each in images_and_labels())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    rounded, products = [], []
    for _, _, quantizer in quantizers(net):
        quantizer.register_forward_hook(lambda *call: rounded.append(call[2].dtype))
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.register_forward_hook(lambda *call: products.append(call[1][0].dtype))
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=mixed):
        loss, _ = loss_and_logits(net, images, labels)
    loss.backward()
    optimizer.step()
    assert loss.isfinite()
    assert set(rounded) == {torch.float32}
    assert set(products) == {torch.bfloat16 if mixed else torch.float32}
    for _, _, quantizer in quantizers(net):
        tensors = [*quantizer.parameters(), *quantizer.buffers()]
        assert {t.dtype for t in tensors if t.is_floating_point()} <= {
            torch.float32,
            torch.float64,  # sums of observers
        }
        assert quantizer.qparams().scale.dtype == torch.float32
        assert all(p.grad is None or p.grad.dtype == torch.float32 for p in quantizer.parameters())


def test_the_integer_network_is_exact_in_evaluation(device):
    """Sums of codes need more bits than bf16 has, so an evaluation computes them in float32."""
    net, images = calibrated("minmax", "integer", bits=8)
    net, images = net.to(device).eval(), images.to(device)
    with torch.no_grad():
        expected = net(images)
        with bf16(device):
            assert torch.equal(net(images), expected)


def test_less_memory_is_needed(device):
    """The peak of a step; torch counts it on a GPU alone."""
    if device.type != "cuda":
        pytest.skip("torch counts the memory of a GPU alone")
    peaks = {}
    for mixed in (False, True):
        net = calibrated()[0].to(device).train()
        images, labels = (each.to(device).repeat_interleave(64, 0) for each in images_and_labels())
        torch.cuda.reset_peak_memory_stats(device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=mixed):
            loss, _ = loss_and_logits(net, images, labels)
        loss.backward()
        peaks[mixed] = torch.cuda.max_memory_allocated(device)
    print(f"peak of a step: float32 {peaks[False]} bytes, bf16-mixed {peaks[True]} bytes")
    assert 0 < peaks[True] <= peaks[False]
