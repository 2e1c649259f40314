"""What a run does in each mode."""

import pytest

from qat.config.modes import (
    brings_timm_weights,
    calibration_path,
    is_half,
    is_static,
    model_name,
    trains,
)
from qat.config.schema import ModelConfig


@pytest.mark.parametrize(
    ("mode", "then", "training", "ranges"),
    [
        ("float", "static", False, False),
        ("dynamic", "static", False, False),
        ("static", "qat", False, True),
        ("qat", "static", True, True),
        ("mixed", "static", False, True),
        ("mixed", "qat", True, True),
    ],
)
def test_what_is_trained_and_calibrated(config, mode, then, training, ranges):
    run = config({"mode": mode, "mixed.then": then, "calibrate.path": "mine.npz"})
    assert (trains(run), is_static(run)) == (training, ranges)
    assert calibration_path(run) == ("mine.npz" if ranges else None)


def test_half_precision_is_of_the_whole_network(config):
    half = {"mode": "static", "scheme.weight.format": "fp16", "scheme.act.format": "fp16"}
    assert is_half(config(half | {"scheme.first_last": "same"}))
    assert is_half(config(half | {"scheme.first_last": "fp16"}))
    for change in (
        {"scheme.first_last": "8"},
        {"scheme.act.format": "int"},
        {"mode": "qat"},
        {"scheme.rules": [object()]},
    ):
        assert not is_half(config(half | {"scheme.first_last": "same"} | change))


def test_names_of_networks():
    assert model_name(ModelConfig(source="builtin", name="resnet20")) == "resnet20"
    assert model_name(ModelConfig("user", "user", target="nets.small:make_net")) == "make_net"
    assert model_name(ModelConfig("user", "mine", target="nets.small:make_net")) == "mine"


def test_published_weights_of_timm_are_those_that_the_run_does_not_train(config):
    for changes, brings in (
        ({"model.source": "timm"}, False),
        ({"model.source": "timm", "model.weights": "DEFAULT"}, True),
        ({"model.source": "timm", "model.checkpoint": "it.safetensors"}, True),
        ({"model.source": "torchvision", "model.weights": "DEFAULT"}, False),
    ):
        assert brings_timm_weights(config(changes)) == brings
