"""Lines that fit where they are read."""

import pytest

from qat.base.lines import aligned, line_width, wrapped
from qat.report.console import console


def test_a_pipe_without_columns_breaks_nothing(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert line_width() is None
    assert wrapped("word " * 100) == "word " * 100
    assert console().width == 160


@pytest.mark.parametrize("columns", [20, 80])
def test_columns_is_followed_in_a_pipe(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert console().width == columns
    lines = wrapped("  " + "word " * 40, hang=4).splitlines()
    assert len(lines) > 1
    assert all(len(line) <= columns for line in lines)
    assert lines[0].startswith("  word")
    assert all(line.startswith("    word") for line in lines[1:])


def test_a_path_is_never_broken(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    path = "/somewhere/far-away/deep/in/a-tree/run.json"
    assert path in wrapped(f"the record is {path}").splitlines()


def test_texts_stand_below_each_other(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    assert aligned({"a": "one two three four", "bbb": "", "cc": "five"}) == [
        "  a    one two three\n       four",
        "  bbb",
        "  cc   five",
    ]


@pytest.mark.parametrize("value", ["1", "anything"])
def test_no_color_is_obeyed(monkeypatch, value):
    monkeypatch.setenv("NO_COLOR", value)
    assert console().color_system is None


def test_an_item_of_a_list_hangs_below_its_own_first_word(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    lines = wrapped("    fold: one two three four", hang=4).splitlines()
    assert lines == ["    fold: one two", "      three four"]
