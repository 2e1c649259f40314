"""Every file in conf/ is composed and built: a misspelt key composes silently without this."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from qat.config.checks.combinations import check_config
from qat.config.compose import compose_points
from qat.config.register import register_schema
from qat.config.scheme import build_scheme
from qat.config.study_file import study_names
from qat.config.training_specs import optimizer_spec, schedule_spec
from qat.config.yaml_files import config_dir, groups, options
from qat.quantizers.declared import DECLARED
from qat.run.prepare import prepare
from tests.command_line import TINY

SLOTS = ("scheme.weight", "scheme.act")
NOT_DYNAMIC = ("fp8", "mxfp8", "mxfp6", "mxfp4", "w1a1")
# What a file leaves to the user, who must say it.
GIVEN = {
    "model=torchvision": ["model.name=resnet18", "data.resize=64"],
    "model=timm": ["model.name=resnet18", "data.resize=64"],
    "export=onnx": ["mode=dynamic"],
    "model=user": ["model.target=tests.conf.test_configs:their_net"],
    "quantizer=user": ["{slot}.target=qat.quantizers.minmax:MinMaxQuantizer"],
    "observer=user": ["{slot}.observer_target=qat.observers.minmax:MinMaxObserver"],
}


def their_net(classes, in_channels, image_size):
    side = image_size * image_size * in_channels
    flat = torch.nn.Flatten()
    return torch.nn.Sequential(flat, torch.nn.Linear(side, 8), torch.nn.Linear(8, classes))


def their_images():
    labels = np.arange(40) % 4
    images = np.broadcast_to(labels.astype(np.uint8)[:, None, None, None], (40, 8, 8, 1))
    parts = {"images": images, "labels": labels}
    return {f"{part}_{k}": array for part in ("train", "test") for k, array in parts.items()}


def composed(*overrides):
    register_schema()
    (point,) = compose_points(list(overrides), False, None)
    return point


def assert_builds(*overrides):
    """Composed, checked, its network converted, and rehearsed on two images."""
    point = composed(*overrides)
    prepared = prepare(point.config, point.overrides)
    if prepared.scheme is None:  # a float network is not rehearsed
        images = prepared.images.example()
        net = prepared.network.build().eval()
        assert net(images).shape == (len(images), prepared.data.classes)
    return point.config


def slots_of(quantizer):
    declared = DECLARED.get(quantizer)
    return [s for s in SLOTS if declared is None or s.removeprefix("scheme.") in declared.slots]


def bits_of(method):
    """A method that has no 8 bits needs a width."""
    declared = DECLARED.get(method)
    lacks = declared is not None and 8 not in declared.bits
    return [f"{{slot}}.bits={declared.bits[-1]}"] if lacks else []


def choices():
    """Every option of every group, in every slot."""
    for group in groups():
        if group in ("experiment", "data", "paths", "hydra"):  # launchers have tests of their own
            continue
        for name in options(group):
            given = GIVEN.get(f"{group}={name}", [])
            if group in ("quantizer", "observer"):
                for slot in slots_of(name) if group == "quantizer" else SLOTS:
                    given = given or bits_of(name)
                    yield [f"{group}@{slot}={name}", *(w.format(slot=slot) for w in given)]
            elif f"{group}={name}" != "scheme=float":  # refused: it leaves nothing to quantize
                yield [f"{group}={name}", *given]


def marked(overrides):
    """One parameter of a test; networks of timm need timm."""
    marks = pytest.mark.timm if "model=timm" in overrides else ()
    return pytest.param(overrides, marks=marks, id=" ".join(overrides))


@pytest.mark.parametrize("overrides", list(map(marked, choices())))
def test_every_option_builds(home, overrides):
    config = assert_builds(*TINY, *overrides)
    group, _, name = overrides[0].partition("=")
    if group == "optimizer":
        assert optimizer_spec(config.optimizer).lr == config.optimizer.lr
    if group == "schedule":
        assert schedule_spec(config.schedule).name == name


@pytest.mark.parametrize("name", sorted({*options("experiment")} - {*study_names()}))
def test_every_experiment_builds(home, name):
    assert_builds(f"experiment={name}", "data=synthetic", "tracking=none")


@pytest.mark.parametrize("name", options("scheme"))
def test_every_scheme_in_every_mode(home, name):
    config = composed(*TINY, f"scheme={name}").config  # as above, so that it is kept
    for mode in ("static", "qat"):
        check_config(replace(config, mode=mode))
    build_scheme(config)
    dynamic = composed(*TINY, f"scheme={name}", "mode=dynamic").config
    if name in NOT_DYNAMIC:
        with pytest.raises(ValueError, match=r"mode=dynamic has (integer )?activations"):
            check_config(dynamic)
    else:
        check_config(dynamic)
        build_scheme(dynamic)


@pytest.mark.parametrize("name", options("data"))
def test_every_data_set_builds(home, npz, name):
    """Named ones from an npz in the data folder; none is downloaded here."""
    words = [f"data={name}", "float=smoke", "tracking=none"]
    (home / "data").mkdir()
    if name in ("cifar10", "fashion_mnist", "torchvision"):
        channels = 1 if name == "fashion_mnist" else 3
        images = np.zeros((40, 32, 32, channels), np.uint8)
        labels = np.arange(40) % 10
        stem = "SVHN" if name == "torchvision" else name
        words += [f"data.name={stem}", "data.mean=[0.5]", "data.std=[0.5]"]
        npz(
            f"data/{stem}.npz",
            train_images=images,
            train_labels=labels,
            test_images=images,
            test_labels=labels,
        )
    elif name == "npz":
        words.append(f"data.path={npz()}")
    elif name == "folder":
        words.append(f"data.path={folder_of_images(home)}")
    elif name == "user":
        words.append("data.target=tests.conf.test_configs:their_images")
    assert_builds(*words)


def folder_of_images(home):
    from PIL import Image

    for split in ("train", "test"):
        for number in range(20):
            path = home / "images" / split / f"class{number % 2}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((16, 16, 3), number, np.uint8)).save(path)
    return home / "images"


def test_the_documented_command_says_what_it_says(home):
    words = (
        "model=resnet20 data=cifar10 scheme=w4a4 quantizer@scheme.act=lsq "
        "scheme.weight.bits=3 mode=qat seed=1"
    )
    config = composed(*words.split()).config
    assert (config.model.name, config.data.name, config.mode) == ("resnet20", "cifar10", "qat")
    assert (config.scheme.weight.bits, config.scheme.act.bits) == (3, 4)
    assert config.scheme.act.quantizer == "lsq"
    assert (config.seed, config.float.seed) == (1, 0)


def test_a_quantizer_in_one_slot_leaves_the_other(home):
    config = composed("scheme=w8a8", "quantizer@scheme.act=lsq").config
    assert config.scheme.weight.quantizer == "minmax"
    assert config.scheme.act.quantizer == "lsq"
    assert (config.scheme.weight.bits, config.scheme.act.bits) == (8, 8)


def test_environment_moves_the_folders(home, monkeypatch):
    monkeypatch.setenv("QAT_RUNS", "somewhere")
    assert composed().config.paths.runs == "somewhere"


def test_the_users_own_folder_of_configs_is_searched_too(home):
    folder = home / "mine" / "optimizer"
    folder.mkdir(parents=True)
    (folder / "fast.yaml").write_text("name: sgd\nlr: 0.5\n")
    register_schema()
    (point,) = compose_points(["optimizer=fast"], False, Path("mine"))
    assert point.config.optimizer.lr == 0.5


@pytest.mark.parametrize("path", sorted(config_dir().glob("*/*.yaml")), ids=lambda p: p.stem)
def test_every_file_says_what_it_is(path):
    first, second = path.read_text().splitlines()[:2]
    assert (second if first == "# @package _global_" else first).startswith("# ")
