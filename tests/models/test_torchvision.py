"""Classifiers of torchvision: adapted, converted, and without their extras."""

import os

import pytest
import torch
import torchvision.models as zoo
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Scheme
from qat.models.torchvision import torchvision_model, without_training_heads
from tests.models.networks import build, count

TORCHVISION = ["resnet18", "mobilenet_v2", "mobilenet_v3_small"]
LARGER = [
    pytest.param(name, marks=pytest.mark.slow)
    for name in ("efficientnet_b0", "googlenet", "densenet121")
]


@torch.no_grad()
def with_its_own_statistics(net, images):
    """Random weights die out in depth unless batch norm has seen what they make of images."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    net.train()(images)
    return net.eval()


@pytest.mark.parametrize("name", [*TORCHVISION, *LARGER])
def test_torchvisions_networks_convert_and_run(name):
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    net = with_its_own_statistics(build("torchvision", name, classes=10, size=64), images)
    logits = net(images)
    assert logits.shape == (2, 10)
    plan = make_plan(net, Scheme(), images)
    wanted = sum(isinstance(m, nn.Conv2d | nn.Linear) for m in net.modules())
    assert len(plan.layers) == wanted
    assert plan.left_float == ()
    qnet = quantize(net, plan)
    calibrate(qnet, [images])
    assert torch.isfinite(qnet(images)).all()
    assert not torch.equal(qnet(images), logits)


def test_grey_images_adapt_the_first_convolution():
    net = build("torchvision", "resnet18", channels=1, size=64).eval()
    assert net(torch.zeros(1, 1, 64, 64)).shape == (1, 10)
    usual = build("torchvision", "resnet18", size=64)
    assert count(usual) - count(net) == 64 * 2 * 7 * 7


def test_weights_that_are_unknown_or_do_not_fit_are_refused_before_any_download():
    with pytest.raises(ValueError, match="resnet18 has weights IMAGENET1K_V1, DEFAULT, not 'V7'"):
        torchvision_model("resnet18", 1000, 3, weights="V7")
    for classes, channels in ((10, 3), (1000, 1)):
        message = f"1000 classes and 3 channels, the data has {classes} and {channels}"
        with pytest.raises(ValueError, match=message):
            torchvision_model("resnet18", classes, channels, weights="DEFAULT")


def test_weights_that_cannot_be_downloaded_are_refused_with_the_remedy(monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(zoo, "get_model", offline)
    with pytest.raises(ValueError, match=r"\(no route to host\); use a file instead: model\.check"):
        torchvision_model("resnet18", 1000, 3, weights="DEFAULT")


def test_auxiliary_heads_are_removed_and_others_are_left():
    with torch.device("meta"):  # shapes are enough
        net = zoo.googlenet(num_classes=10, aux_logits=True, init_weights=False)
        other = zoo.resnet18()
    assert without_training_heads(other) is other
    x = torch.zeros(2, 3, 64, 64, device="meta")
    assert type(net.train()(x)).__name__ == "GoogLeNetOutputs"
    assert without_training_heads(net).train()(x).shape == (2, 10)
    assert not any(name.startswith("aux") for name, _ in net.named_parameters())


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """Write the weights of squeezenet1_1 into torchvision's cache of this test."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    url = zoo.SqueezeNet1_1_Weights.DEFAULT.url
    path = tmp_path / "hub" / "checkpoints" / url.rpartition("/")[2]
    path.parent.mkdir(parents=True)

    def write(content):
        torch.save(content, path)
        return path

    return write


def squeezenet():
    return torchvision_model("squeezenet1_1", 1000, 3, weights="DEFAULT")


def test_weights_of_the_cache_are_loaded(cached, monkeypatch):
    state = zoo.squeezenet1_1(num_classes=1000).state_dict()
    cached(state)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    loaded = squeezenet().state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())
    assert os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


class Trap:
    """An object that makes a folder when it is read as code."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_weights_of_the_cache_are_read_as_data(cached, tmp_path):
    path = cached({"classifier.1.bias": Trap(tmp_path / "was here")})
    with pytest.raises(ValueError, match=r"holds other objects than tensors.* delete it") as caught:
        squeezenet()
    assert str(path) in str(caught.value)
    assert not (tmp_path / "was here").exists()
    path.write_bytes(b"cut off")
    with pytest.raises(ValueError, match="is damaged"):
        squeezenet()
