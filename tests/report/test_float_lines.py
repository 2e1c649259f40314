"""What stayed float: one line, or all of it."""

import pytest

from qat.report.float_lines import float_lines


def plan(*names, kind="Conv2d"):
    return {"left_float": [[name, kind] for name in names]}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (plan("up"), "left float: 1 layer (up)"),
        (plan("a", "b"), "left float: 2 layers (a, b)"),
        (plan("x", kind="Parameter"), "left float: 1 parameter (x)"),
        (
            {"left_float": plan(*"abc")["left_float"] + [["d", "Parameter"]]},
            "left float: 4 layers and parameters (a, b, c, ... (qat show 12ab lists all))",
        ),
    ],
)
def test_one_line_counts_and_names_the_first(given, line):
    assert list(float_lines(given, "12ab")) == [line]


def test_every_one_has_a_line_where_all_are_listed():
    assert list(float_lines(plan("a", "b"), "12ab", every=True)) == [
        "left float: a (Conv2d)",
        "left float: b (Conv2d)",
    ]


def test_nothing_is_said_where_nothing_stayed_float():
    assert list(float_lines(None, "12ab")) == list(float_lines(plan(), "12ab")) == []
