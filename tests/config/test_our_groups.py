"""What is composed of our files alone, against ``hydra.compose`` of the same words."""

import copy

import pytest
from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf

from qat.config.bases import Bases
from qat.config.compose import composer
from qat.config.our_groups import NotOursError, compose_ours
from qat.config.yaml_files import ROOT_CONFIG, groups, options
from tests.command_line import TINY


@pytest.fixture(scope="module")
def kept():
    """The files that all tests have loaded."""
    return {}


@pytest.fixture
def ours(kept):
    """Compose words from the kept files."""
    with composer(None):
        yield lambda words: compose_ours(GlobalHydra.instance().config_loader(), words, kept)


def assert_equal(found, expected):
    """Keys, their order, values, interpolations, types and flags."""
    assert OmegaConf.to_yaml(found) == OmegaConf.to_yaml(expected)
    assert found == expected
    for name in ("object_type", "ref_type", "optional", "flags", "key_type", "element_type"):
        assert getattr(found._metadata, name) == getattr(expected._metadata, name), name
    for group in ("scheme", "data"):
        assert found[group]._metadata.object_type is expected[group]._metadata.object_type


LINES = [
    [],
    [*TINY, "mode=qat", "seed=3"],
    ["scheme=w4a4", "quantizer@scheme.act=lsq", "++scheme.act.options.start=mse"],
    ["model=resnet18", "schedule@float.schedule=step", "optimizer=adamw"],
    ["experiment=demo_w4a4_qat", "~allocate"],
]


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_it_is_hydras_composition(ours, words):
    expected = compose(ROOT_CONFIG, overrides=words)
    assert_equal(ours(words), expected)
    assert_equal(ours(words), expected)  # of kept files


@pytest.mark.slow
@pytest.mark.parametrize("group", [g for g in groups() if g not in ("hydra", "paths")])
def test_every_file_is_hydras_composition(ours, group):
    for name in options(group):
        slot = "@scheme.weight" if group in ("quantizer", "observer") else ""
        words = [f"{group}{slot}={name}"]
        assert_equal(ours(words), compose(ROOT_CONFIG, overrides=words))


def test_what_one_composition_changes_is_not_in_the_next():
    kept = {}
    with composer(None):
        loader = GlobalHydra.instance().config_loader()
        first = compose_ours(loader, ["scheme=w4a4"], kept)
        assert {"scheme/w4a4", "data/fashion_mini"} <= kept.keys()
        assert ROOT_CONFIG not in kept
        before = copy.deepcopy(kept["scheme/w4a4"].config)
        OmegaConf.set_struct(first, False)
        first.scheme.act.bits, first.scheme.act.options.new = 3, 1
        compose_ours(loader, ["scheme=w4a4", "++scheme.weight.options.start=mse"], kept)
        assert kept["scheme/w4a4"].config == before
        assert_equal(
            compose_ours(loader, ["scheme=w4a4"], kept),
            compose(ROOT_CONFIG, overrides=["scheme=w4a4"]),
        )


@pytest.mark.parametrize(
    "words", [["hydra.job.name=it"], ["hydra/launcher=joblib"], ["seed=1,2"]], ids=" ".join
)
def test_what_is_hydras_is_left_to_it(ours, words):
    with pytest.raises(NotOursError):
        ours(words)


@pytest.mark.parametrize("words", [["scheme=nope"], ["no.such=1"], ["+quantizer@foo=lsq"]])
def test_what_does_not_compose_is_an_error_as_in_hydra(ours, words):
    with pytest.raises(HydraException) as expected:
        compose(ROOT_CONFIG, overrides=words)
    with pytest.raises(type(expected.value)):
        ours(words)


def test_a_file_that_sets_keys_of_hydra_is_left_to_it(tmp_path):
    (tmp_path / "experiment").mkdir()
    text = "# @package _global_\nseed: 7\nhydra: {job: {chdir: false}}\n"
    (tmp_path / "experiment" / "theirs.yaml").write_text(text)
    with composer(tmp_path):
        with pytest.raises(HydraException):
            compose_ours(GlobalHydra.instance().config_loader(), ["experiment=theirs"], {})
        assert Bases(tmp_path).compose(["experiment=theirs"]).seed == 7
