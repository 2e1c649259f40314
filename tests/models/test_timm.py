"""Networks of timm: names, weights from its cache, preparation of images, conversion."""

import fnmatch
import shutil
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from qat.base.errors import InputError
from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize, to_float
from qat.core.scheme import Scheme
from qat.models.checkpoint import save_checkpoint
from qat.models.timm import check_weights_are_here, timm_model, timm_preparation
from tests.models.networks import build
from tests.models.test_torchvision import with_its_own_statistics

# Small variants: (name in timm, side of the images in pixels).
FAMILIES = [
    ("resnet18", 64),
    ("regnetx_002", 64),
    ("efficientnet_lite0", 64),
    ("efficientnet_b0", 64),
    ("mobilenetv3_small_050", 64),
    ("mobilenetv4_conv_small_050", 64),
    ("repvgg_a0", 64),
    ("convnext_atto", 64),
]
NORMAL = {"mean": (0.5,) * 3, "std": (0.25,) * 3}


@pytest.mark.timm
@pytest.mark.parametrize(("name", "side"), FAMILIES)
def test_timms_networks_convert_and_run(name, side):
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    net = with_its_own_statistics(build("timm", name, classes=10, size=side), images)
    logits = net(images)
    assert logits.shape == (2, 10)
    plan = make_plan(net, Scheme(), images)
    layers = sum(isinstance(m, nn.Conv2d | nn.Linear) for m in net.modules())
    assert len(plan.layers) == layers
    assert plan.left_float == ()
    qnet = quantize(net, plan)
    calibrate(qnet, [images])
    assert torch.isfinite(qnet(images)).all()
    assert not torch.equal(qnet(images), logits)


@pytest.mark.timm
def test_random_weights_are_a_function_of_the_seed_and_channels_are_adapted():
    first, again = (build("timm", "resnet18", seed=3) for _ in range(2))
    assert torch.equal(first.conv1.weight, again.conv1.weight)
    assert build("timm", "resnet18", channels=1).conv1.weight.shape == (64, 1, 7, 7)
    with pytest.raises(InputError, match=r"model\.options do not fit resnet18"):
        build("timm", "resnet18", no_such_option=1)


@pytest.mark.timm
@pytest.mark.parametrize(
    ("name", "weights", "by_hand"),
    [  # timm's table of pretrained models: size and crop share, 235 = floor(224 / 0.95)
        ("resnet18.a1_in1k", None, (235, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))),
        ("resnet18", "tv_in1k", (256, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))),
        ("tf_efficientnet_lite0", "in1k", (256, 224, (0.5,) * 3, (0.5,) * 3)),
        ("efficientnet_b1.ra4_e3600_r240_in1k", "DEFAULT", (266, 240, (0.5,) * 3, (0.5,) * 3)),
    ],
)
def test_images_are_prepared_as_timms_table_says(name, weights, by_hand):
    found = timm_preparation(name, weights)
    assert (found.resize, found.crop, found.mean, found.std) == by_hand


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub and of torch.hub."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    return tmp_path / "hub"


def in_cache(cache, name, file):
    """The layout of the hub's cache: a reference names a snapshot."""
    repository = cache / f"models--timm--{name}"
    for folder in ("refs", "snapshots/abc", "blobs"):
        (repository / folder).mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    shutil.copy(file, repository / "snapshots" / "abc" / "model.safetensors")


@pytest.mark.timm
@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("mobilenetv3_small_050.lamb_in1k", "DEFAULT"),
        ("mobilenetv3_small_050", "lamb_in1k"),
        ("mobilenetv3_small_050", "DEFAULT"),
    ],
)
def test_published_weights_come_from_the_cache_and_nothing_is_downloaded(
    cache, tmp_path, monkeypatch, name, weights
):
    def refuse(*args, **kwargs):
        raise AssertionError("nothing is to be downloaded")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    with pytest.raises(InputError, match=r"mobilenetv3_small_050\.lamb_in1k are not in timm's cac"):
        timm_model(name, 1000, 3, weights=weights)
    source = build("timm", "mobilenetv3_small_050", classes=1000, seed=7)
    save_checkpoint(source, tmp_path / "it.safetensors")
    in_cache(cache, "mobilenetv3_small_050.lamb_in1k", tmp_path / "it.safetensors")
    check_weights_are_here(name, weights)
    net = timm_model(name, 1000, 3, weights=weights)
    for key, tensor in source.state_dict().items():
        assert torch.equal(net.state_dict()[key], tensor), key


@pytest.mark.timm
def test_a_download_needs_the_users_word_and_its_failure_is_one_line(cache, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no route\nto host")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", offline)
    with pytest.raises(InputError, match=r"\(OSError: no route to host\); use a file instead"):
        timm_model("resnet18", 1000, 3, weights="a1_in1k", download=True)


@pytest.fixture
def fake_timm(monkeypatch):
    """A stand-in with two networks, for messages that need no timm."""
    configs = {
        f"tiny.{tag}": SimpleNamespace(
            architecture="tiny", tag=tag, num_classes=1000, hf_hub_id=None, url=None, size=size
        )
        for tag, size in (("a1", (3, 224, 224)), ("wide", (3, 192, 256)))
    }
    for config in configs.values():
        config.to_dict = lambda config=config: {"input_size": config.size, "crop_pct": 0.95}
    parts = ("timm", "timm.models", "timm.data", "timm.layers")
    timm, models, data, layers = map(ModuleType, parts)
    layers.Linear = type("Linear", (nn.Linear,), {})
    timm.create_model = lambda name, **arguments: layers.Linear(2, arguments["num_classes"])
    models.get_pretrained_cfg = lambda name: configs["tiny.a1" if name == "tiny" else name]
    models.list_models = lambda pattern, include_tags: fnmatch.filter(configs, pattern)
    data.resolve_data_config = lambda args, pretrained_cfg: NORMAL | pretrained_cfg
    for module in (timm, models, data, layers):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("qat.models.names.timm_names", lambda: ("tiny",))


def test_weights_that_are_unknown_or_do_not_fit_are_refused(fake_timm):
    with pytest.raises(InputError, match="tiny has weights a1, wide, not 'a7'"):
        timm_model("tiny", 1000, 3, weights="a7")
    with pytest.raises(InputError, match=r"names the weights a1, and model\.weights=wide others"):
        timm_model("tiny.a1", 1000, 3, weights="wide")
    for classes, channels in ((10, 3), (1000, 1)):
        message = f"a1 are for 1000 classes and 3 channels, the data has {classes} and {channels}"
        with pytest.raises(InputError, match=message):
            timm_model("tiny", classes, channels, weights="DEFAULT")
    with pytest.raises(InputError, match=r"not in timm's cache, .*set model\.download=true"):
        timm_model("tiny", 1000, 3, weights="a1")
    with pytest.raises(InputError, match=r"tiny\.a1 are not in timm's cache"):
        check_weights_are_here("tiny", "DEFAULT")
    net = timm_model("tiny", 10, 3)
    assert (type(net), net.out_features) == (nn.Linear, 10)


def test_the_shorter_side_is_the_crop_over_its_share_rounded_down(fake_timm):
    found = timm_preparation("tiny")
    assert (found.name, found.resize, found.crop) == ("tiny.a1", 235, 224)
    assert found.mean == (0.5, 0.5, 0.5)
    with pytest.raises(InputError, match="takes images of 192x256, which are not square"):
        timm_preparation("tiny.wide")


# Networks of these families have operations without an integer form: refused with the line.
ACADEMIC_ALONE = {"convnext_atto": "has no integer form"}


@pytest.mark.timm
@pytest.mark.parametrize(("name", "side"), FAMILIES)
def test_in_placement_integer_norms_are_folded_and_the_sums_stay(name, side):
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    net = with_its_own_statistics(build("timm", name, classes=10, size=side), images)
    scheme = Scheme(placement="integer")
    if name in ACADEMIC_ALONE:
        with pytest.raises(InputError, match=ACADEMIC_ALONE[name]):
            make_plan(net, scheme, images)
        return
    qnet = quantize(net, make_plan(net, scheme, images), images)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in qnet.modules())
    calibrate(qnet, [images])
    expected = net(images)
    torch.testing.assert_close(to_float(qnet)(images), expected, rtol=1e-3, atol=1e-3)
