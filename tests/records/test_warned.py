"""Warnings of a run, kept in its record's environment."""

from qat.records.schema import RunRecord
from qat.records.warned import warnings_of, with_warnings

RECORD = RunRecord("a", "running", mode="qat", seed=0, environment={"cpu": "x"})


def test_lines_take_the_place_of_earlier_ones():
    once = with_warnings(RECORD, ["first"])
    twice = with_warnings(once, ["second", "third"])
    assert (warnings_of(RECORD), warnings_of(once)) == ([], ["first"])
    assert warnings_of(twice) == ["second", "third"]
    assert twice.environment["cpu"] == "x"
    assert with_warnings(twice, []) == RECORD


def test_what_is_no_list_is_no_warning():
    for stored, lines in (("text", []), (None, []), ([1, "b"], ["1", "b"])):
        record = RunRecord("a", "running", "qat", 0, environment={"warnings": stored})
        assert warnings_of(record) == lines
