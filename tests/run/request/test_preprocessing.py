"""What the weights of a float network bring along, and what the user keeps."""

import pytest

from qat.base.errors import InputError
from qat.models import timm as networks
from qat.models.checkpoint import save_checkpoint
from qat.models.timm import Preparation
from qat.run.request.data import load_run_data
from qat.run.request.identity import data_facts, identity
from qat.run.request.preprocessing import data_settings
from tests.run.networks import Small

MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
KEYS = ("mean", "std", "resize", "crop")
OF_TIMM = [list(MEAN), list(STD), 7, 6]


@pytest.fixture
def of_timm(make_config, monkeypatch):
    """Make the configuration of a network of timm, which is not installed."""
    monkeypatch.setattr(
        networks, "timm_preparation", lambda name, weights: Preparation(name, MEAN, STD, 7, 6)
    )
    monkeypatch.setattr(networks, "check_weights_are_here", lambda name, weights: None)
    monkeypatch.setattr("qat.run.request.identity.version", lambda name: "1.0")

    def make(**changes):
        return make_config(model__source="timm", model__name="tiny", **changes)

    return make


def values(config):
    settings, line = data_settings(config)
    return [settings[key] for key in KEYS], line


def test_published_weights_bring_all_that_the_user_leaves_out(of_timm):
    found, line = values(of_timm(model__weights="DEFAULT"))
    assert found == OF_TIMM
    assert line.startswith("as timm prepares images for tiny: resize 7, crop 6, mean 0.5")
    given = {"data__resize": 9, "data__mean": [0.0] * 3, "data__std": [1.0] * 3}
    assert values(of_timm(model__weights="DEFAULT", **given))[0] == [[0.0] * 3, [1.0] * 3, 9, 6]
    every = {**given, "data__crop": 8}
    assert values(of_timm(model__weights="DEFAULT", **every)) == (
        [[0.0] * 3, [1.0] * 3, 9, 8],
        None,
    )


def test_random_weights_and_other_networks_bring_nothing(of_timm, make_config):
    assert values(of_timm()) == ([None] * 4, None)
    assert values(make_config(model__weights="DEFAULT")) == ([None] * 4, None)


def test_a_checkpoint_brings_what_it_records_and_else_what_timm_knows(of_timm, tmp_path):
    path = tmp_path / "net.safetensors"
    save_checkpoint(Small(3, 3, 8), path)
    assert values(of_timm(model__checkpoint=str(path)))[0] == OF_TIMM
    save_checkpoint(Small(3, 3, 8), path, ((0.1, 0.2, 0.3), (1.0, 1.0, 1.0)))
    own = [[0.1, 0.2, 0.3], [1.0, 1.0, 1.0], None, None]
    assert values(of_timm(model__checkpoint=str(path))) == (own, None)


def test_the_run_has_the_id_and_the_protocol_of_the_same_values_written_out(of_timm):
    completed = of_timm(model__weights="DEFAULT")
    written = of_timm(
        model__weights="DEFAULT",
        data__mean=list(MEAN), data__std=list(STD), data__resize=7, data__crop=6,
    )  # fmt: skip
    both = [load_run_data(config) for config in (completed, written)]
    assert both[0].preprocess == both[1].preprocess
    assert both[0].notes[-1].startswith("as timm prepares images")
    names = [
        identity(config, data_facts(data), None)
        for config, data in zip((completed, written), both, strict=True)
    ]
    assert names[0] == names[1]
    assert names[0] != identity(of_timm(), data_facts(load_run_data(of_timm())), None)


def test_missing_weights_are_refused_before_data_are_read_unless_they_may_be_downloaded(
    of_timm, monkeypatch
):
    def refuse(name, weights):
        raise InputError(f"{name} {weights} are not here")

    monkeypatch.setattr(networks, "check_weights_are_here", refuse)
    config = of_timm(model__weights="a1", data__name="npz", data__path="nowhere.npz")
    with pytest.raises(InputError, match="tiny a1 are not here"):
        load_run_data(config)
    config.model.download = True
    assert values(config)[0] == OF_TIMM
