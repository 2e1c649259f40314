"""Points of a request: composed in order, and their errors in one line."""

from types import SimpleNamespace

import pytest

from qat.base.errors import CheckDefectError, InputError, RequestError
from qat.config.words.command_line import Words
from qat.sweep.points import named_errors, requested_points

POINT = SimpleNamespace(label="seed=1 mode=static")


def test_the_points_of_a_grid_in_their_order():
    words = Words(("data=synthetic", "mode=static", "seed=1,0"), True, None, None)
    assert [point.config.seed for point in requested_points(words)] == [1, 0]


def test_a_forbidden_value_names_its_point():
    words = Words(("mode=static", "calibrate.images=8,0"), True, None, None)
    with pytest.raises(RequestError, match=r"^point .*images=0.*must be 1 to"):
        requested_points(words)


def test_from_and_a_sweep_exclude_each_other():
    with pytest.raises(RequestError, match="give one of them"):
        requested_points(Words((), True, None, "aaa111"))


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (InputError("bits must be 2"), RequestError, "bits must be 2"),
        (KeyError("note"), CheckDefectError, "KeyError: 'note' ("),
        (SystemExit(3), CheckDefectError, "SystemExit: 3 ("),
    ],
)
def test_each_error_becomes_one_line_with_the_label_if_named(error, kind, text):
    for named, start in ((True, f"point {POINT.label}: {text}"), (False, text)):
        with pytest.raises(RequestError) as caught, named_errors(POINT, named):
            raise error
        assert type(caught.value) is kind
        assert str(caught.value).startswith(start)
        assert caught.value.__cause__ is error
