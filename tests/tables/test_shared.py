"""Settings that all points share, for the title instead of each label."""

import pytest

from qat.tables.shared import shared_settings, shared_text, without_shared


def settings(method="minmax", mode="static", ptq=None):
    return {"method": method, "mode": mode, "ptq": ptq, "rules": None}


@pytest.mark.parametrize(
    ("points", "text"),
    [
        ([settings()], ""),  # nothing to tell apart from
        ([settings(), settings()], "minmax static"),
        ([settings(), settings(mode="qat")], "minmax"),
        ([settings("lsq"), settings("pact")], "static"),
        ([settings(ptq="fold, nearest"), settings(ptq="fold, gptq")], "minmax static, fold"),
        ([settings(ptq="fold, nearest"), settings(ptq="equalize, nearest")], "minmax static"),
        ([settings(ptq="fold"), settings(ptq="fold, gptq")], "minmax static"),
        ([settings(), settings(ptq="fold, gptq")], "minmax static"),
    ],
)
def test_method_mode_and_leading_steps_may_be_shared(points, text):
    assert shared_text(shared_settings(points)) == text


def test_what_is_shared_is_left_out():
    points = [settings(ptq="fold, nearest"), settings(mode="qat", ptq="fold, gptq, nearest")]
    shared = shared_settings(points)
    assert [without_shared(own, shared) for own in points] == [
        {"method": None, "mode": "static", "ptq": "nearest", "rules": None},
        {"method": None, "mode": "qat", "ptq": "gptq, nearest", "rules": None},
    ]
