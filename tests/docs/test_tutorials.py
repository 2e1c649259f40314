"""The committed tutorials: in the contents, complete, and (slow) equal to a new run."""

import ast
import re
import shlex
import subprocess
import sys
from functools import cache

import pytest

from docs._generate.pages import ROOT
from docs._generate.tutorials.compare import has_footer
from docs._generate.tutorials.folder import TUTORIALS, figures, names, page_path
from docs._generate.tutorials.page import Kind, commands, read_parts
from qat.base.errors import RequestError
from qat.cli.main import command_parser
from qat.config.compose import is_accepted
from qat.config.words.command_line import SHOWING, known_words, sort_words

CODE = (Kind.CONSOLE, Kind.HIDDEN, Kind.PYTHON)
RUNNER = [sys.executable, "-m", "docs._generate.tutorials"]
every_page = pytest.mark.parametrize("name", names())


@cache
def text(name):
    return page_path(name).read_text(encoding="utf-8")


def shell_commands(name):
    parts = read_parts(text(name))
    return [c for p in parts if p.kind in (Kind.CONSOLE, Kind.HIDDEN) for c in commands(p)]


def qat_words(command):
    """The words of each ``qat`` in a command line, without pipes, files and comments."""
    lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.commenters = "#"
    lexer.wordchars += "@:,[]{}'"
    line: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("|;&<>()"):
            if word[0] == ">" and line[-1:] == ["2"]:  # of 2> FILE
                line.pop()
            if line[:1] == ["qat"]:
                yield line[1:]
            line = []
        else:
            line.append(word)


def test_every_page_is_in_the_contents():
    index = (TUTORIALS / "index.md").read_text(encoding="utf-8")
    listed = re.search(r"```\{toctree\}\n:hidden:\n\n(.*?)```", index, re.DOTALL)[1].split()
    assert sorted(listed) == names()


@every_page
def test_the_page_has_been_run(name):
    assert has_footer(text(name)), f"python -m docs._generate.tutorials {name}"
    for path in figures(text(name), name):
        assert (TUTORIALS / name / path).is_file(), path


@every_page
def test_no_figure_is_left_over(name):
    files = [path for path in (TUTORIALS / name).rglob("*") if path.is_file()]
    left = {path.relative_to(TUTORIALS / name).as_posix() for path in files}
    assert left <= set(figures(text(name), name))


@every_page
def test_code_and_commands_can_be_parsed(name):
    for part in read_parts(text(name)):
        is_python = part.kind is Kind.PYTHON or part.words.endswith(".py")
        if is_python:
            ast.parse(part.body, name)
    script = "\n".join(command.text for command in shell_commands(name))
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
    assert not done.stderr


@every_page
def test_words_of_commands_are_known(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for part in read_parts(text(name)):
        if part.kind is Kind.FILE:
            (tmp_path / part.words).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / part.words).write_text(part.body)
    typed = [command.text for command in shell_commands(name) if command.exit_code != 2]
    faults = [fault(words) for line in typed for words in qat_words(line)]
    assert [each for each in faults if each] == []


def fault(line):
    """What is wrong with the words after ``qat``; nothing if all are known."""
    first, *words = line
    try:
        if first != "run":
            command_parser().parse_args(line)
        elif not SHOWING & set(words):
            known_words(sort_words(words), is_accepted)
    except RequestError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("line", [["run", "schem=w8a8"], ["tabel"], ["table", "--widee"]])
def test_unknown_words_are_seen(line):
    assert fault(line)


def test_words_of_a_command_line():
    line = "qat run a=[1,2] b@c=x | tail -n 2 && qat table 2> t.md  # qat no"
    assert list(qat_words(line)) == [["run", "a=[1,2]", "b@c=x"], ["table"]]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@every_page
def test_a_new_run_has_the_output_of_the_page(name):
    done = subprocess.run([*RUNNER, "--check", name], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
