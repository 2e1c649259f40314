"""From a configuration to a prepared run."""

import pytest

from qat.base.errors import InputError
from qat.run import prepare as preparation
from qat.run.prepare import prepare
from qat.run.request.identity import identity, known_identity


def test_values_are_those_of_the_configuration(make_config, tmp_path):
    config = make_config("qat", seed=7)
    prepared = prepare(config, ("seed=7",), rehearsed=False)
    assert (prepared.seed, prepared.overrides, prepared.mode.name) == (7, ("seed=7",), "qat")
    assert prepared.folder == tmp_path / "runs" / prepared.id
    assert (prepared.calibration.count, prepared.calibration.seed) == (8, 7)
    assert (prepared.training.fit.max_epochs, prepared.float_training.fit.max_epochs) == (2, 1)
    assert prepared.scheme.weight.bits == 4


def test_values_that_a_mode_does_not_use_are_none(make_prepared):
    for mode, absent in {
        "float": ("scheme", "mixed", "training"),
        "static": ("mixed", "training"),
        "qat": ("mixed",),
        "mixed": ("training",),
    }.items():
        prepared = make_prepared(mode)
        names = ("scheme", "mixed", "training", "float_training")
        assert tuple(name for name in names if getattr(prepared, name) is None) == absent


def test_the_run_is_known_from_then_on(make_config):
    config = make_config(seed=11)
    assert known_identity(config) is None
    prepared = prepare(config, (), rehearsed=False)
    assert known_identity(config) == prepared.id
    facts = preparation.data_facts(prepared.data)
    assert identity(config, facts, None) == prepared.id


def test_a_crop_that_misses_the_image_is_refused(make_config):
    with pytest.raises(InputError, match=r"pad=8 .* 8 pixels: set data\.augment\.pad=1 or .* 7"):
        prepare(make_config(data__augment__pad=8), (), rehearsed=False)
    prepare(make_config(data__augment__pad=7), (), rehearsed=False)


def test_a_runtime_that_is_not_installed_is_refused_where_it_is_needed(make_config, monkeypatch):
    def absent(name):
        raise InputError(f"{name} is not installed")

    monkeypatch.setattr(preparation, "make_runtime", absent)
    integer = {"scheme__placement": "integer"}
    with pytest.raises(InputError, match="onnxruntime is not installed"):
        prepare(make_config(**integer), (), rehearsed=False)
    prepare(make_config(**integer, measure__runtime="none"), (), rehearsed=False)
    prepare(make_config(), (), rehearsed=False)
