"""The page of commands, compared with what the parsers accept and print."""

import argparse

import pytest

from docs._generate.command_line import argument_row, pages, usage
from qat.cli.help import SUMMARIES


def section(name):
    (page,) = pages()
    return page.text.partition(f"## `qat {name}`\n")[2].partition("\n## `qat")[0]


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_command_has_a_section_with_its_usage(name):
    assert f"usage: qat {name}" in section(name)


def test_arguments_are_rows_with_choices_and_help():
    text = section("export")
    formats = "onnx,onnx-float,onnx-half,packed,openvino,encodings"
    assert f"| `--to {{{formats}}}` | format of the file |" in text
    assert "| `RUN_DIR` | a run: its folder" in text


@pytest.mark.parametrize(
    ("flags", "options", "row"),
    [
        (("--force",), {"action": "store_true", "help": "delete"}, ("`--force`", "delete")),
        (("-n", "--number"), {"type": int, "help": "count"}, ("`-n, --number NUMBER`", "count")),
        (("what",), {"metavar": "A|B", "nargs": "*", "help": "a"}, ("`A|B`", "a")),
        (("shell",), {"choices": ("bash", "zsh")}, ("`{bash,zsh}`", "")),
    ],
)
def test_one_argument(flags, options, row):
    assert argument_row(argparse.ArgumentParser().add_argument(*flags, **options)) == row


def test_usage_does_not_depend_on_the_terminal(monkeypatch):
    parser = argparse.ArgumentParser(prog="qat")
    for letter in "abcdefghij":
        parser.add_argument(f"--{letter * 9}")
    monkeypatch.setenv("COLUMNS", "40")
    narrow = usage(parser)
    monkeypatch.setenv("COLUMNS", "200")
    assert usage(parser) == narrow
    assert max(map(len, narrow.splitlines())) <= 88
