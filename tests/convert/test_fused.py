"""Networks with fused roundings against the same networks without."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qat.convert.calibrate import calibrate
from qat.convert.fused import FusedRounding, fused
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.models.build import build_model
from qat.quantizers.lsq import LSQQuantizer

LSQ = Scheme(
    weight=TensorSpec(bits=4, granularity="channel", quantizer=Method("lsq")),
    act=TensorSpec(bits=4, quantizer=Method("lsq")),
)
STATIC = replace(LSQ, act=TensorSpec(bits=4, observer=Method("percentile")))
IMAGES = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Block(nn.Module):
    """A residual block whose ReLUs change their input, with a second reader of its input."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.first, self.down = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 1)
        self.up, self.last = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
        self.relu, self.relu6 = nn.ReLU(inplace=True), nn.ReLU6()
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.relu(self.norm(self.stem(x)))
        y = self.relu6(self.first(x))
        y = self.relu(self.down(y) + self.down(x))
        y = self.up(y)
        y += x
        return self.head(self.last(F.relu(y)).mean((2, 3)))


def resnet20():
    return build_model("builtin", "resnet20", classes=5, in_channels=3, image_size=16)


def quantized(net, scheme=LSQ, memory_format=torch.contiguous_format):
    net = net.to(memory_format=memory_format)
    qnet = quantize(net, make_plan(net, scheme, IMAGES), keep_norms=True)
    calibrate(qnet, [IMAGES])
    return qnet.train()


def outputs_and_gradients(net, qnet):
    images = IMAGES.clone().requires_grad_()
    logits = net(images)
    F.cross_entropy(logits, torch.arange(4)).backward()
    grads = {name: p.grad for name, p in qnet.named_parameters()}
    return {"logits": logits, "images": images.grad, **grads}


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("placement", ["academic", "integer"])
@pytest.mark.parametrize(
    ("make_net", "scheme"),
    [(Block, LSQ), (resnet20, LSQ), (Block, STATIC)],
    ids=["block", "resnet20", "straight-through"],
)
def test_outputs_and_gradients_are_equal(make_net, scheme, placement, memory_format):
    scheme = replace(scheme, placement=placement)
    plain = quantized(make_net(), scheme, memory_format)
    own = copy.deepcopy(plain)
    expected = outputs_and_gradients(plain, plain)
    result = outputs_and_gradients(fused(own), own)
    for name, value in expected.items():
        if name.endswith(".step"):
            torch.testing.assert_close(result[name], value, rtol=1e-4, atol=1e-7)
        else:
            assert torch.equal(result[name], value), name
    for plain_buffer, buffer in zip(plain.buffers(), own.buffers(), strict=True):
        assert torch.equal(plain_buffer, buffer)


def test_every_rounding_after_a_relu_of_a_resnet_is_fused():
    """ResNet-20 has 19 ReLUs; the last one precedes the pooling."""
    modules = [m for m in fused(quantized(resnet20())).modules() if isinstance(m, FusedRounding)]
    assert len(modules) == 18
    assert sum(module.returns_y for module in modules) == 9  # readers: the conv and the shortcut


def test_the_network_keeps_its_state_dict_and_its_modules():
    qnet = quantized(Block())
    before = set(qnet.state_dict())
    whole = fused(qnet)
    assert set(qnet.state_dict()) == before
    assert {id(p) for p in whole.parameters()} <= {id(p) for p in qnet.parameters()}


def test_a_hook_on_a_quantizer_sees_its_input():
    qnet, inputs = quantized(Block()), []
    whole = fused(qnet)
    qnet.first.input_quantizer.register_forward_pre_hook(
        lambda _, args: inputs.append(args[0].detach())
    )
    whole(IMAGES)
    assert len(inputs) == 1
    assert inputs[0].min().item() == 0.0


def test_a_range_that_follows_the_values_still_follows():
    scheme = replace(LSQ, act=TensorSpec(bits=4, observer=Method("ema")))
    plain = quantized(Block(), scheme)
    own = copy.deepcopy(plain)
    plain(2 * IMAGES), fused(own)(2 * IMAGES)
    scales = [net.first.input_quantizer.scale for net in (plain, own)]
    assert torch.equal(*scales)
    assert not torch.equal(scales[0], quantized(Block(), scheme).first.input_quantizer.scale)


def test_a_phase_is_followed():
    qnet = quantized(Block())
    whole = fused(qnet)
    for module in qnet.modules():
        if isinstance(module, LSQQuantizer):
            module.set_phase("off")
    assert torch.equal(whole.eval()(IMAGES), qnet.eval()(IMAGES))


def test_a_value_that_is_changed_in_place_while_others_read_it_is_not_fused():
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)

        def forward(self, x):
            y = self.a(x)
            return self.b(F.relu(y, inplace=True)) + y

    assert not any(isinstance(m, FusedRounding) for m in fused(quantized(Reads())).modules())


def test_a_network_that_cannot_be_traced_is_not_fused():
    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 4)

        def forward(self, x):
            y = F.relu(self.a(x.mean((2, 3))))
            return self.b(y) if y.sum() > 0 else self.b(-y)

    assert fused(quantized(Branches())) is None
