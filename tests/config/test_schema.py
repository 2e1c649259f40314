"""The schema: what Hydra and OmegaConf read of it."""

from dataclasses import fields, is_dataclass

from omegaconf import MISSING as OMEGACONF_MISSING
from omegaconf import OmegaConf

from qat.config import schema
from qat.config.yaml_files import groups


def test_missing_is_omegaconfs():
    assert schema.MISSING == OMEGACONF_MISSING
    assert OmegaConf.is_missing(OmegaConf.structured(schema.RunConfig).model, "name")


def test_every_group_of_files_has_a_section():
    """Some groups fill slots of the scheme, or the whole configuration."""
    sections = {entry.name for entry in fields(schema.RunConfig)}
    assert set(groups()) - sections == {"experiment", "hydra", "quantizer", "observer"}


def test_sections_do_not_share_their_values():
    one, other = schema.RunConfig(), schema.RunConfig()
    for entry in fields(schema.RunConfig):
        if is_dataclass(entry.type):
            assert getattr(one, entry.name) is not getattr(other, entry.name)
