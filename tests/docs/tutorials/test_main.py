"""The command that runs tutorials."""

import subprocess
from types import SimpleNamespace

import pytest

from docs._generate.tutorials import __main__ as command


@pytest.fixture
def started(monkeypatch):
    calls = []

    def run(words, **_):
        calls.append(words[3:])
        return SimpleNamespace(returncode=int("second" in words))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(command, "names", lambda: ["first", "second"])
    return calls


def test_all_run_even_if_one_fails(started):
    assert command.main(["--check"]) == 1
    assert started == [["first", "--check"], ["second", "--check"]]


def test_one_by_name(started):
    assert command.main(["first"]) == 0
    assert started == [["first"]]


def test_an_unknown_name_is_refused(started, capsys):
    with pytest.raises(SystemExit):
        command.main(["third"])
    assert "no tutorial third; there are first, second" in capsys.readouterr().err
    assert started == []
