"""Printed lines: what comes from data cannot move the cursor or add a line."""

import sys

from qat.base.printing import complain_line, complaints_kept, print_line, print_lines

TEXT = "a\x1b[31mb\nc"


def test_one_line_stays_one_line_and_several_stay_several(capsys):
    print_line(TEXT)
    print_lines(TEXT)
    assert capsys.readouterr().out == "a\\x1b[31mb\\nc\n" + "a\\x1b[31mb\nc\n"


def test_complaints_go_to_stderr_and_only_a_terminal_gets_them_broken(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    complain_line("one two three four five")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    complain_line("one two three four five")
    printed = capsys.readouterr()
    assert printed.out == ""
    whole, *broken = printed.err.splitlines()
    assert whole == "qat: one two three four five"
    assert broken == ["qat: one two three", "     four five"]


def test_complaints_are_kept_inside_a_block_alone(capsys):
    with complaints_kept() as outer:
        complain_line("a\nb")
        with complaints_kept() as inner:
            complain_line("c")
        complain_line("d")
    complain_line("e")
    assert (outer, inner) == (["a\\nb", "d"], ["c"])
    assert capsys.readouterr().err == "qat: e\n"
