"""Commands in a process of their own: their CPU time, their folders, their exit status."""

import json

import pytest

from bench._commands import PROJECT, CommandError, environment, run_python


def test_cpu_seconds_are_those_of_the_command(tmp_path):
    idle = run_python(["-S", "-c", "import time; time.sleep(0.5)"], tmp_path)
    busy = "import time\nwhile time.process_time() < 0.5: pass"
    worked = run_python(["-S", "-c", busy], tmp_path)
    assert idle.wall_s >= 0.5 > 0.3 > idle.user_s
    assert worked.user_s + worked.system_s >= 0.5


def test_runs_and_cache_are_apart_and_byte_code_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("QAT_DATA", "some/data")
    variables = environment(tmp_path)
    assert variables["QAT_RUNS"] == str(tmp_path / "runs")
    assert variables["QAT_CACHE"] == str(tmp_path / "cache")
    assert variables["QAT_DATA"].endswith("/some/data")
    assert variables["QAT_DATA"].startswith("/")
    assert variables["PYTHONPATH"] == str(PROJECT)
    assert "PYTHONDONTWRITEBYTECODE" not in variables


def test_code_is_that_of_the_checkout(tmp_path):
    (tmp_path / "who.py").write_text("import json, sys; json.dump(sys.argv, open('seen', 'w'))")
    run_python(["-m", "who", "word"], tmp_path / "home", tmp_path)
    assert json.loads((tmp_path / "seen").read_text())[1:] == ["word"]


def test_an_unexpected_exit_status_is_an_error_with_the_last_words(tmp_path):
    words = ["-S", "-c", "import sys; sys.exit('it broke')"]
    with pytest.raises(CommandError, match=r"ended with 1, not 0, in .*: it broke"):
        run_python(words, tmp_path)
    assert run_python(words, tmp_path, returncode=1).wall_s > 0
