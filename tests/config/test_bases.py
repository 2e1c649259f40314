"""Compositions that are kept, against Hydra's own of the same overrides."""

import pytest
from hydra import compose
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from qat.config.bases import Bases
from qat.config.compose import composer
from qat.config.yaml_files import ROOT_CONFIG


@pytest.fixture
def composed():
    """``(ours, Hydra's)`` of some overrides, as plain data."""
    with composer(None):
        bases = Bases(None)

        def both(*words):
            ours = bases.compose(words)
            hydras = compose(ROOT_CONFIG, overrides=list(words))
            return OmegaConf.to_container(ours), OmegaConf.to_container(hydras)

        yield both


def test_keys_are_set_on_a_copy(composed):
    ours, hydras = composed("optimizer=adam", "seed=3", "scheme.weight.bits=4")
    assert ours == hydras
    assert ours["seed"] == 3
    again, hydras = composed("optimizer=adam")
    assert again == hydras  # nothing of the first request is left in the kept composition


def test_a_key_that_is_set_and_added_keeps_its_order(composed):
    words = ("scheme.act.options.start=paper", "++scheme.act.options={start:mse}")
    ours, hydras = composed("quantizer@scheme.act=lsq", *words)
    assert ours == hydras
    assert ours["scheme"]["act"]["options"]["start"] == "mse"


def test_a_value_of_a_wrong_type_is_hydras_to_refuse(composed):
    with pytest.raises(Exception, match="seed") as ours:
        composed("seed=many")
    assert not isinstance(ours.value, OmegaConfBaseException)  # Hydra's own, which names the key
