"""Bytes of layers: by hand, and against what torch really keeps and allocates."""

import pytest
import torch
from torch import nn
from torchvision.models import densenet121, googlenet, mobilenet_v3_small, resnet18

from qat.memory.estimate import estimate_inference, estimate_training
from qat.memory.read import read_memory
from qat.models.build import build_model
from tests.memory.networks import FLOAT, Chain


def test_inference_of_a_chain_by_hand():
    found = estimate_inference(read_memory(Chain().eval(), (1, 1, 4, 4)))
    rows = {row.name: (row.parameters, row.activations) for row in found.rows}
    assert rows == {
        "x": (0, 16 * FLOAT),
        "conv": ((18 + 2) * FLOAT, 32 * FLOAT),
        "relu": (0, 32 * FLOAT),
        "pool": (0, 8 * FLOAT),
        "fc": ((24 + 3) * FLOAT, 3 * FLOAT),
    }
    assert found.total == (47 + 91) * FLOAT


def test_widths_shrink_weights_and_activations():
    traced = read_memory(Chain().eval(), (1, 1, 4, 4))
    wide = estimate_inference(traced)
    narrow = estimate_inference(traced, weight_bits={"conv": 4, "fc": 8})
    assert narrow.sum("parameters") == 9 + 2 * FLOAT + 24 + 3 * FLOAT
    assert narrow.saving_percent(wide) == pytest.approx(100 * (188 - 53) / 552)
    half = estimate_inference(read_memory(Chain().eval(), (1, 1, 4, 4), bits=16), bits=16)
    assert half.saving_percent(wide) == 50


def test_training_of_a_chain_by_hand():
    found = estimate_training(read_memory(Chain().eval(), (1, 1, 4, 4)), "adam")
    kept = {row.name: row.activations for row in found.rows}
    # The convolution keeps the image, the ReLU and the pool its output, the pool 8 indices as well,
    # the linear layer the pool's output.
    assert kept == {"x": 64, "conv": 0, "relu": 128, "pool": 8 * 8 + 8 * FLOAT, "fc": 0}
    assert found.sum("gradients") == 47 * FLOAT
    assert found.sum("optimizer") == 2 * 47 * FLOAT + 4 * FLOAT


def allocated(net, images, make_optimizer):
    """Bytes that a step of torch really keeps: ``(activations, gradients, state)``."""
    own = {t.untyped_storage()._cdata for t in (*net.parameters(), *net.buffers())}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = (storage.nbytes(), tensor)  # held, so that no id comes twice
        return tensor

    optimizer = make_optimizer(net.parameters())
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        output = net(images)
    activations = sum(size for size, _ in kept.values())
    output.sum().backward()
    optimizer.step()
    state = [t for values in optimizer.state.values() for t in values.values()]
    sizes = [p.grad.nbytes for p in net.parameters()]
    return activations, sum(sizes), sum(t.nbytes for t in state if isinstance(t, torch.Tensor))


def momentum(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)


def builtin(name):
    return lambda: build_model("builtin", name, classes=10, in_channels=3, image_size=32)


NETWORKS = [
    pytest.param(builtin("simple_cnn"), id="simple_cnn"),
    pytest.param(builtin("resnet20"), id="resnet20"),
    pytest.param(resnet18, id="resnet18"),
    pytest.param(mobilenet_v3_small, id="mobilenet_v3_small"),
    pytest.param(densenet121, id="densenet121", marks=pytest.mark.slow),
    pytest.param(
        lambda: googlenet(aux_logits=False, init_weights=False),
        id="googlenet",
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize("make", NETWORKS)
def test_training_keeps_what_torch_keeps(make):
    net, images = make(), torch.randn(2, 3, 32, 32)
    traced = read_memory(net, images.shape)
    found = estimate_training(traced)
    out_of_place = traced.module.train()
    activations, gradients, state = allocated(out_of_place, images, momentum)
    assert found.assumed == ()
    assert found.sum("activations") == activations
    assert found.sum("gradients") == gradients
    assert found.sum("optimizer") == state
    assert found.sum("parameters") == sum(p.nbytes for p in net.parameters())
    assert found.sum("buffers") == sum(b.nbytes for b in net.buffers())


def test_inference_makes_what_torch_makes():
    net, images = builtin("resnet20")().eval(), torch.randn(2, 3, 32, 32)
    traced = read_memory(net, images.shape)
    made = {images.untyped_storage()._cdata: (images.nbytes, images)}

    class Sees(torch.fx.Interpreter):
        def run_node(self, node):
            value = super().run_node(node)
            if isinstance(value, torch.Tensor) and node.op != "get_attr":
                storage = value.untyped_storage()
                made[storage._cdata] = (storage.nbytes(), value)
            return value

    with torch.no_grad():
        Sees(traced.module.eval()).run(images)
    assert estimate_inference(traced).sum("activations") == sum(size for size, _ in made.values())


def test_a_layer_called_twice_counts_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 1, bias=False)

        def forward(self, x):
            return self.conv(self.conv(x))

    assert estimate_inference(read_memory(Twice(), (1, 1, 4, 4))).sum("parameters") == FLOAT


def test_unknown_operations_are_said_to_be_assumed():
    class Odd(nn.Module):
        def forward(self, x):
            return x.exp()

    assert estimate_training(read_memory(Odd(), (1, 1, 4, 4))).assumed == ("exp",)


def test_wrong_names_are_refused():
    traced = read_memory(Chain().eval(), (1, 1, 4, 4))
    with pytest.raises(KeyError, match="no layers with a weight"):
        estimate_inference(traced, weight_bits={"pool": 4})
    with pytest.raises(KeyError, match="there are sgd, sgd_momentum"):
        estimate_training(traced, "lion")


def test_what_is_frozen_has_no_gradient():
    net = Chain().eval()
    net.conv.requires_grad_(False)
    found = estimate_training(read_memory(net, (1, 1, 4, 4)), "sgd_momentum")
    assert found.sum("gradients") == found.sum("optimizer") == (24 + 3) * FLOAT
