"""A prepared run: frozen values that agree with each other."""

from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from qat.run.prepared import Prepared


def test_it_cannot_be_changed(make_prepared):
    with pytest.raises(FrozenInstanceError):
        make_prepared().seed = 1


@pytest.mark.parametrize("mode", ["float", "static", "qat", "mixed"])
def test_its_parts_share_one_data_set_and_cache(make_prepared, mode):
    prepared = make_prepared(mode)
    assert {field.name for field in fields(Prepared)} == set(vars(prepared))
    data = [prepared.images.data, prepared.keys.data, prepared.calibration.images.data]
    assert all(each is prepared.data for each in data)
    assert prepared.calibration.cache is prepared.cache
    assert prepared.images.network is prepared.network
    assert prepared.network.device == prepared.device == prepared.keys.device


def test_each_part_but_the_configuration_groups_is_frozen(make_prepared):
    prepared = make_prepared("qat")
    parts = {field.name: getattr(prepared, field.name) for field in fields(Prepared)}
    mutable = {
        name
        for name, part in parts.items()
        if is_dataclass(part) and not part.__dataclass_params__.frozen
    }
    assert mutable == {"config", "timing", "parity", "tracking"}
