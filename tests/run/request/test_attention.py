"""Attention is found wherever activations multiply activations."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from qat.base.errors import InputError
from qat.run.request.attention import check_attention, check_attention_layers
from tests.models.networks import build


class Attention(nn.Module):
    def __init__(self, fused):
        super().__init__()
        self.qkv, self.fused = nn.Linear(4, 12), fused

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        if self.fused:
            return F.scaled_dot_product_attention(q, k, v)
        return (q @ k.transpose(-2, -1)).softmax(-1) @ v


class Gated(nn.Module):
    """Squeeze and excitation: elementwise products are no attention."""

    def __init__(self):
        super().__init__()
        self.conv, self.gate = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

    def forward(self, x):
        x = self.conv(x)
        return x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid()


@pytest.mark.parametrize("fused", [True, False])
def test_attention_is_refused_with_the_name_and_the_module(fused):
    net = nn.Sequential(nn.Linear(4, 4), Attention(fused))
    message = r"model\.name=my_vit has attention \(a product of two activations in 1\)"
    with pytest.raises(InputError, match=message) as caught:
        check_attention(net.eval(), torch.rand(2, 5, 4), "my_vit")
    assert "\n" not in str(caught.value)


def test_convolutions_and_gates_pass():
    check_attention(Gated().eval(), torch.rand(2, 3, 4, 4), "gated")
    check_attention(build("builtin", "resnet20").eval(), torch.rand(1, 3, 32, 32), "resnet20")


@pytest.mark.timm
@pytest.mark.parametrize(
    ("name", "side"),
    [("vit_tiny_patch16_224", 224), ("mobilenetv4_hybrid_medium", 64), ("botnet26t_256", 256)],
)
def test_timms_networks_with_attention_are_refused_by_name(name, side):
    with pytest.raises(InputError, match=f"model.name={name} has attention"):
        check_attention(build("timm", name).eval(), torch.rand(1, 3, side, side), name)


@pytest.mark.parametrize("name", ["vit_b_16", "swin_t", "swin_v2_t", "maxvit_t"])
def test_torchvisions_networks_with_attention_are_refused_by_name_whatever_the_image(name):
    with torch.device("meta"):  # classes are enough
        net = torchvision.models.get_model(name)
    message = rf"model\.name={name} has attention \(a product of two activations in \S+\)"
    with pytest.raises(InputError, match=message) as caught:
        check_attention_layers(net, name)
    assert str(caught.value).endswith("such as resnet18, or mode=float")


def test_torchvisions_networks_without_attention_pass():
    for name in ("resnet18", "convnext_tiny", "efficientnet_b0", "mobilenet_v3_small"):
        with torch.device("meta"):
            net = torchvision.models.get_model(name)
        check_attention_layers(net, name)


def test_a_run_of_a_library_s_network_is_refused_before_its_images_are(qat):
    words = ["model=swin_t", "data=synthetic", "data.train_images=32", "mode=static"]
    code, _, err = qat("run", *words)
    assert code == 2
    assert "model.name=swin_t has attention (a product of two activations in features." in err
    assert len(err.splitlines()) == 1
