"""Keys of the schema, against those of a composed configuration."""

from dataclasses import asdict

from qat.config.keys import (
    PATH_KEYS,
    choosable,
    is_free,
    is_key,
    is_text,
    key_types,
    keys_under,
    type_at,
)


def flat(node, place=""):
    for key, value in node.items():
        if isinstance(value, dict) and keys_under(f"{place}{key}"):
            yield from flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}"


def test_the_keys_are_those_of_a_configuration(config):
    assert list(flat(asdict(config()))) == list(key_types())
    assert key_types().keys() >= PATH_KEYS


def test_types():
    assert key_types()["scheme.act.bits"] is type_at("scheme.act.bits") is int
    assert type_at("scheme.act.bitz") is type_at("seed.x") is None
    assert is_text("data.path")
    assert is_text("mode")
    assert not is_text("seed")


def test_sections_and_free_mappings():
    assert keys_under("data.augment") == ["pad", "flip"]
    assert keys_under("data.options") == keys_under("seed") == []
    assert keys_under("data.nothing") is None
    assert is_free("scheme.act.options.start")
    assert not is_free("scheme.act.options")
    assert is_key("data.options.any.depth")
    assert not is_key("data.augment.crop")


def test_what_is_chosen_by_a_file(tmp_path):
    (tmp_path / "my_group").mkdir()
    names = choosable(tmp_path)
    assert {"my_group", "model", "observer@scheme.weight", "hydra/launcher"} <= set(names)
    assert not {"quantizer", "observer", "hydra"} & set(names)
