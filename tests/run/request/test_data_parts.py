"""A data set with only a test part serves some runs and not others."""

from dataclasses import replace

import numpy as np
import pytest

from qat.run.request.data import load_run_data
from qat.run.request.data_parts import check_only_test, check_parts


@pytest.fixture
def parts(make_prepared):
    data = make_prepared().data
    return {"whole": data, "test": replace(data, train=None, val=None)}


@pytest.mark.parametrize(
    ("mode", "changes", "message"),
    [
        ("qat", {}, "mode=qat trains on labelled train images"),
        ("mixed", {}, "mode=mixed measures sensitivity on labelled train images"),
        ("mixed", {"mixed__then": "qat"}, "mode=mixed trains on labelled train images"),
        ("float", {}, r"set model\.checkpoint=FILE"),
        ("static", {"model__checkpoint": "net.pt"}, r"set calibrate\.path=DIR or FILE\.npz"),
    ],
)
def test_a_run_that_needs_train_images_is_refused(make_config, parts, mode, changes, message):
    config = make_config(mode, **changes)
    with pytest.raises(ValueError, match=message):
        check_parts(config, parts["test"])
    check_parts(config, parts["whole"])


def test_a_run_that_needs_none_is_accepted(make_config, parts):
    check_parts(make_config("dynamic", model__checkpoint="net.pt"), parts["test"])
    calibrated = replace(parts["test"], calibration=parts["whole"].train)
    check_parts(make_config("static", model__checkpoint="net.pt"), calibrated)


@pytest.mark.parametrize("kind", ["folder", "npz"])
def test_the_missing_part_is_the_first_thing_said(make_config, tmp_path, kind):
    """Mean, deviation and number of classes are missing too, and serve no run without train."""
    path = tmp_path / "own"
    if kind == "folder":
        (path / "test").mkdir(parents=True)
    else:
        path = tmp_path / "own.npz"
        np.savez(path, test_images=np.zeros((2, 4, 4, 3), np.uint8))
    data = {"data__name": kind, "data__path": str(path), "data__options": {}}
    with pytest.raises(ValueError, match=rf"^data {kind} \(.*own.*\) has only a test part, so"):
        load_run_data(make_config("float", **data))
    with pytest.raises(ValueError, match=r"mode=qat trains on labelled train images, and data"):
        load_run_data(make_config("qat", **data))
    checkpoint = {"model__checkpoint": "net.pt"}
    with pytest.raises(ValueError, match=r"set calibrate\.path=DIR"):
        load_run_data(make_config("static", **data, **checkpoint))
    check_only_test(make_config("dynamic", **data, **checkpoint))


def test_a_path_that_is_wrong_is_left_to_the_reader(make_config, tmp_path):
    for name in ("folder", "npz"):
        check_only_test(make_config("qat", data__name=name, data__path=str(tmp_path / "no")))
    (tmp_path / "train").mkdir()
    check_only_test(make_config("qat", data__name="folder", data__path=str(tmp_path)))
