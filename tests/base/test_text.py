"""Text from elsewhere is shown as text, wherever it is shown."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qat.base.text import (
    LONGEST,
    csv_text,
    markdown_line,
    markdown_text,
    own_text,
    plain,
    plain_line,
)
from tests.strategies import hostile_texts

ACTING = "\x1b\x07\r\n\x00\x9b\u202e\u2066\u200f\ud800"


@given(hostile_texts())
def test_nothing_in_plain_text_acts(text):
    shown = plain(text)
    assert not set(shown) & set(ACTING)
    shown.encode("utf-8")
    assert plain(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("abc\u202ecba", r"abc\u202ecba"),
        ("\ud83d", r"\ud83d"),
        ("\U000e0041", r"\U000e0041"),
        ("Größe ± 2×, 中文, \N{GRINNING FACE}", "Größe ± 2×, 中文, \N{GRINNING FACE}"),
    ],
)
def test_what_acts_is_written_as_an_escape_and_the_rest_stays(text, shown):
    assert plain(text) == shown


def test_a_line_is_one_line_and_not_too_long():
    assert plain_line("two\n lines \x1b") == r"two lines \x1b"
    assert len(plain_line("x" * 10_000)) == LONGEST


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-x", "@SUM(A1)", "-nanx"])
def test_a_formula_is_text_in_a_spreadsheet(text):
    assert csv_text(text).startswith("'")
    assert own_text(csv_text(text)) == plain(text)


@pytest.mark.parametrize("text", ["-0.5", "+1e-3", "12", "w8a8", "", "a=b", "'quoted'", "\u00e4"])
def test_numbers_and_plain_words_stay_as_they_are(text):
    assert csv_text(text) == text
    assert own_text(text) == text


@given(st.lists(hostile_texts(), min_size=1, max_size=4))
def test_a_row_of_hostile_cells_is_one_row_of_so_many_cells(cells):
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow(map(csv_text, cells))
    (row,) = csv.reader(io.StringIO(file.getvalue()))
    assert len(row) == len(cells)
    for cell in row:
        assert not cell.startswith(("=", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>"),
        ("a|b", r"a\|b"),
        ("**bold** _it_ w4_a4", r"\*\*bold\*\* \_it\_ w4_a4"),
        ("[x](javascript:1) W [bit]", r"\[x](javascript:1) W [bit]"),
        ("`code` $x$ 5 $", r"\`code\` \$x\$ 5 $"),
        ("&lt; & &#60;", "&amp;lt; & &amp;#60;"),
    ],
)
def test_markup_in_a_cell_is_text(text, shown):
    assert markdown_text(text) == shown


def test_a_sentence_keeps_its_own_words_and_no_html():
    assert markdown_line("see `qat show` <b>") == "see `qat show` &lt;b>"
    assert "](" not in markdown_line("[x](y)")
