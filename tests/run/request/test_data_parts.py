"""A data set with only a test part serves some runs and not others."""

from dataclasses import replace

import pytest

from qat.run.request.data_parts import check_parts


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
