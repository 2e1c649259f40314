"""The help texts: every command has one, and their examples are commands that exist."""

import re
import shlex

import pytest

from qat.cli.help import EPILOG, RUN_HELP, SUMMARIES
from qat.cli.main import command_parser, main

EXAMPLES = [
    line.strip()
    for text in (EPILOG, *(examples for _, examples in SUMMARIES.values()))
    for line in text.splitlines()
    if line.startswith("  qat ")
]


def test_examples_are_accepted_by_the_parser():
    assert len(EXAMPLES) > 15
    for line in EXAMPLES:
        words = shlex.split(re.split(r" {3,}", line)[0])[1:]  # an explanation follows the blanks
        if words[0] != "run":
            assert command_parser().parse_args(words).action


@pytest.mark.parametrize("command", SUMMARIES)
def test_each_command_shows_its_help(command, capsys):
    try:
        code = main([command, "--help"])
    except SystemExit as end:
        code = end.code
    out = capsys.readouterr().out
    assert code == 0
    assert out.startswith(f"usage: qat {command}")
    assert re.search(r"examples?:|start-up file", out)


def test_lines_of_our_own_fit_80_columns():
    for text in (EPILOG, RUN_HELP, *(examples for _, examples in SUMMARIES.values())):
        assert [line for line in text.splitlines() if len(line) > 80] == []
