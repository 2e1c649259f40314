"""The sessions of a tutorial."""

import os

import pytest

from docs._generate.tutorials.sessions import PythonSession, Shell


@pytest.fixture
def shell(tmp_path):
    with Shell(tmp_path, os.environ) as started:
        yield started


def test_output_of_both_streams_and_exit_code(shell):
    assert shell.run("echo one; echo two >&2; (exit 3)") == ("one\ntwo\n", 3)
    assert shell.run("printf 'no end of line'") == ("no end of line", 0)
    assert shell.run("true") == ("", 0)


def test_a_state_lasts_to_the_next_command(shell, tmp_path):
    (tmp_path / "inner").mkdir()
    shell.run("cd inner; export NAME=x")
    assert shell.run("pwd; echo $NAME") == (f"{tmp_path / 'inner'}\nx\n", 0)


def test_a_failure_in_a_pipe_is_seen(shell):
    assert shell.run("(echo a; exit 2) | cat") == ("a\n", 2)


def test_a_command_reads_nothing_and_may_have_lines_and_a_comment(shell):
    assert shell.run("cat") == ("", 0)
    assert shell.run("echo a \\\n  b  # comment") == ("a b\n", 0)


def test_the_end_of_bash_is_an_error(shell):
    with pytest.raises(RuntimeError, match="bash ended in: exit 1"):
        shell.run("exit 1")


def test_names_last_and_the_last_value_is_shown():
    session = PythonSession("page")
    assert session.run("x = 2\nprint('x', x)\n") == ("x 2\n", True)
    assert session.run("x * 3\n") == ("6\n", True)
    assert session.run("None\n") == ("", True)
    assert session.run("def f():\n    return x\n") == ("", True)
    assert session.run("f()") == ("2\n", True)


def test_an_error_is_shown_with_the_name_of_the_page():
    output, is_done = PythonSession("page").run("1 / 0")
    assert not is_done
    assert 'File "page", line 1' in output
    assert output.endswith("ZeroDivisionError: division by zero\n")
