"""The start benchmark: its commands run, and take turns."""

import json

import pytest

from bench import start
from bench._commands import Taken
from tests.bench.conftest import SMALL

TINY = [*SMALL, "--warmup", "0"]


@pytest.mark.slow
@pytest.mark.usefixtures("commands_here")
def test_commands_end_to_end(tmp_path):
    words = ["--rounds", "1", "--only", "import", "refused", "finished"]
    start.main([*TINY, *words, "--out", str(tmp_path / "start.json")])
    report = json.loads((tmp_path / "start.json").read_text())
    assert list(report["results"]) == ["import", "refused", "finished"]
    for times in report["results"].values():
        assert times["wall_s"]["n"] == 1
        assert times["user_s"]["median"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_every_command_in_a_process_of_its_own(capsys):
    start.main([*TINY, "--rounds", "1"])
    assert list(json.loads(capsys.readouterr().out)["results"]) == list(start.COMMANDS)


def test_commands_take_turns_and_warmup_is_not_counted():
    calls = []

    def command(name, seconds):
        return lambda: calls.append(name) or Taken(seconds + len(calls), 2 * seconds, 0.0)

    results = start.measure({"a": command("a", 1.0), "b": command("b", 5.0)}, 2, 1)
    assert calls == ["a", "b"] * 3
    assert results["a"]["wall_s"] == {"n": 2, "median": 5.0, "q1": 4.5, "q3": 5.5}
    assert results["b"]["user_s"]["median"] == 10.0
