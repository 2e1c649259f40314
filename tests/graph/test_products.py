"""Products however they are written: MACs by hand, and whose parameter it is that is multiplied."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from qat.cost.macs import layer_costs
from qat.graph.products import UncountedError, products


class Net(nn.Module):
    """Layers, and a function of them and of the image."""

    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        return self.function(self, x)


def rows(net, x):
    return {cost.name: (cost.macs, cost.weights) for cost in layer_costs(net, None, x)}


IMAGE = torch.ones(2, 3, 4, 4)


def test_a_convolution_that_no_module_makes():
    def forward(self, x):
        return F.conv2d(x, self.conv.weight, self.conv.bias, padding=1)

    # 16 places, 5 filters of 3 * 3 * 3 weights
    net = Net(forward, conv=nn.Conv2d(3, 5, 3))
    assert rows(net, IMAGE) == {"conv": (16 * 5 * 27, 5 * 27)}
    (product,) = products(net, IMAGE)
    assert (product.layer, product.parameter) == ("", "conv.weight")
    assert product.line.startswith("test_products.py:")


def test_a_weight_that_is_changed_before_it_multiplies_keeps_its_name():
    def forward(self, x):
        weight = self.fc.weight - self.fc.weight.mean(1, keepdim=True)
        return F.linear(x.flatten(1), weight.clone())

    assert rows(Net(forward, fc=nn.Linear(48, 7)), IMAGE) == {"fc": (48 * 7, 48 * 7)}


def test_attention_by_hand():
    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2)  # 16 tokens of 3
        return self.attention(tokens, tokens, tokens, need_weights=False)[0]

    net = Net(forward, attention=nn.MultiheadAttention(3, 1, batch_first=True))
    assert rows(net, IMAGE) == {
        "attention.in_proj_weight": (16 * 3 * 9, 27),
        "attention.matmul": (16 * 16 * (3 + 3), 0),  # queries x keys, then x values
        "attention.out_proj": (16 * 3 * 3, 9),
    }


@pytest.mark.parametrize(
    ("macs", "function"),
    [
        (16 * 3 * 3, lambda self, x: torch.einsum("nchw,ndhw->ncd", x, x)),
        (3 * 4 * 4 * 4, lambda self, x: x @ x),
        (3 * 4 * 4 * 4, lambda self, x: torch.matmul(x, x.transpose(2, 3))),
        (48 * 2, lambda self, x: torch.mv(x.flatten(1), torch.ones(48))),
    ],
)
def test_products_of_activations(macs, function):
    found = rows(Net(function), IMAGE[:1])
    assert list(found) == ["matmul"]
    assert found["matmul"][0] in (macs, macs // 2)


def test_images_in_the_second_axis_count_all_the_same():
    def forward(self, x):
        return self.fc(x.flatten(2).permute(2, 0, 1))  # tokens first

    assert rows(Net(forward, fc=nn.Linear(3, 2)), IMAGE) == {"fc": (16 * 3 * 2, 6)}


def test_torchs_encoder_is_counted_layer_by_layer():
    layer = nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True)
    net = Net(
        lambda self, x: self.encoder(x.flatten(1, 2)), encoder=nn.TransformerEncoder(layer, 1)
    ).eval()
    found = rows(net, IMAGE)
    own = {name.removeprefix("encoder.layers.0."): macs for name, (macs, _) in found.items()}
    # 12 tokens of 4: projections, attention (4 wide over both heads), the two linear layers
    assert own == {
        "self_attn.in_proj_weight": 12 * 4 * 12,
        "self_attn.matmul": 12 * 12 * (4 + 4),
        "self_attn.out_proj": 12 * 4 * 4,
        "linear1": 12 * 4 * 8,
        "linear2": 12 * 8 * 4,
    }


def test_what_nobody_can_count_is_named():
    net = Net(lambda self, x: self.odd(x.flatten(1), x.flatten(1)), odd=nn.Bilinear(48, 48, 3))
    with pytest.raises(UncountedError, match=r"_trilinear at test_products\.py:\d+ are not count"):
        layer_costs(net, None, IMAGE)


@pytest.fixture
def without_weights(monkeypatch):
    """Networks are built without memory for parameters: shapes alone."""
    parameter, buffer = nn.Module.register_parameter, nn.Module.register_buffer

    def empty(self, name, value):
        kept = None if value is None else nn.Parameter(value.to("meta"), value.requires_grad)
        parameter(self, name, kept)

    def empty_buffer(self, name, value, persistent=True):
        buffer(self, name, None if value is None else value.to("meta"), persistent)

    monkeypatch.setattr(nn.Module, "register_parameter", empty)
    monkeypatch.setattr(nn.Module, "register_buffer", empty_buffer)


@pytest.mark.slow
@pytest.mark.parametrize("name", models.list_models(module=models))
def test_torchvision_states_the_same(name, without_weights):
    """Its GFLOPs are our MACs, attention's matrix products included."""
    weights = models.get_model_weights(name).DEFAULT
    size = weights.transforms().crop_size[0]
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    options |= {"image_size": size} if name.startswith("vit") else {}
    net = models.get_model(name, **options).eval()
    image = torch.ones(1, 3, size, size, device="meta")
    counted = sum(cost.macs for cost in layer_costs(net, None, image)) / 1e9
    assert counted == pytest.approx(weights.meta["_ops"], rel=0.001, abs=0.0005)
