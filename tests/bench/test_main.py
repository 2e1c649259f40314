"""The suite: which benchmarks run, which are done, what is said of them at the end."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import __main__ as suite
from bench import readme
from bench._words import without_paths
from bench.suite import ENTRIES, Entry
from qat.records.environment import cpu_facts


@pytest.fixture
def facts(monkeypatch):
    """Of a checkout without changes."""
    project = {"commit": "c" * 40, "dirty": False}
    monkeypatch.setattr(suite, "git_facts", lambda path: project)
    return project


@pytest.fixture
def calls(monkeypatch, facts, tmp_path):
    """Benchmarks that are started; each writes a report at once."""
    started = []
    machine = {**facts, "cpu": cpu_facts()[0], "cores": 2, "threads": 1, "device": "cpu"}

    def run(command, **options):
        _, _, module, *words = command
        out = words[words.index("--out") + 1]
        started.append((module, words[: words.index("--out")]))
        results = {"model": "resnet20", "ratio": {"n": 3, "median": 2.0, "q1": 1.9, "q3": 2.1}}
        text = without_paths(f"python -m {module}", words)
        report = {"command": text, "machine": machine, "results": results}
        Path(out).write_text(json.dumps(report))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(suite.subprocess, "run", run)
    (tmp_path / "committed").mkdir()
    return started


def main(tmp_path, *words):
    (tmp_path / "out").mkdir(exist_ok=True)
    places = ["--out", str(tmp_path / "out"), "--committed", str(tmp_path / "committed")]
    return suite.main([*words, *places])


def test_a_finished_benchmark_is_not_run_again(calls, facts, tmp_path, capsys):
    assert main(tmp_path, "step", "data") == 0
    assert [module for module, _ in calls] == ["bench.step", "bench.data"]
    main(tmp_path, "step", "data")
    assert len(calls) == 2
    assert "step: done before" in capsys.readouterr().out
    main(tmp_path, "step", "--force")
    main(tmp_path, "step", "--quick")
    assert len(calls) == 4
    facts["commit"] = "d" * 40
    main(tmp_path, "data")
    assert len(calls) == 5


@pytest.mark.parametrize("change", [{"dirty": True}, {"cpu": "other"}, {"commit": None}])
def test_reports_of_other_files_or_machines_do_not_count(calls, tmp_path, change):
    main(tmp_path, "step")
    path = tmp_path / "out" / "step.json"
    report = json.loads(path.read_text())
    path.write_text(json.dumps(report | {"machine": report["machine"] | change}))
    main(tmp_path, "step")
    assert len(calls) == 2


def test_data_and_checkpoint_go_to_those_that_take_them(calls, tmp_path):
    main(tmp_path, "sweep", "sensitivity", "step", "--data", "cifar10", "--checkpoint", "net.pt")
    words = dict(calls)
    assert words["bench.sweep"][:3] == ["--data", "cifar10", "--checkpoint"]
    assert words["bench.sensitivity"][0] == "--checkpoint"
    assert "--checkpoint" not in words["bench.step"]


def test_says_what_moved(calls, tmp_path, capsys):
    main(tmp_path, "step")
    report = json.loads((tmp_path / "out" / "step.json").read_text())
    report["results"]["ratio"] = {"n": 3, "median": 1.0, "q1": 0.9, "q3": 1.1}
    (tmp_path / "committed" / "step.json").write_text(json.dumps(report))
    capsys.readouterr()
    main(tmp_path, "step", "data")
    text = capsys.readouterr().out
    assert "step: 1 moved beyond their spread, 0 did not" in text
    assert "ratio: 1.000 (0.900 to 1.100) → 2.000 (1.900 to 2.100)" in text
    assert "data: no committed report to compare with" in text


def test_a_failure_is_said_at_the_end_and_the_others_run(calls, monkeypatch, tmp_path, capsys):
    run = suite.subprocess.run

    def failing(command, **options):
        return SimpleNamespace(returncode=3) if "bench.step" in command else run(command, **options)

    monkeypatch.setattr(suite.subprocess, "run", failing)
    assert main(tmp_path, "step", "data") == 1
    assert "step: failed with exit status 3" in capsys.readouterr().err
    assert [module for module, _ in calls] == ["bench.data"]


def test_accepted_reports_are_copied_and_the_page_is_written(calls, monkeypatch, tmp_path):
    written = []
    monkeypatch.setattr(readme, "write", written.append)
    main(tmp_path, "step")
    main(tmp_path, "step", "data", "--accept")
    assert [path.name for path in (tmp_path / "committed").iterdir()] == ["step.json"]
    assert written == [tmp_path / "committed"]


def test_an_unknown_name_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(tmp_path, "stp")
    assert "no benchmark stp; there are step," in capsys.readouterr().err


@pytest.mark.parametrize("name", ENTRIES)
def test_words_of_every_benchmark_are_those_it_has(name, monkeypatch, tmp_path):
    """Its own parser takes all words; what it then measures is left out."""
    entry: Entry = ENTRIES[name]
    module = importlib.import_module(f"bench.{entry.module}")
    taken = [word for option in entry.takes for word in (f"--{option}", "synthetic")]

    class ParsedError(Exception):
        pass

    original = suite.argparse.ArgumentParser.parse_args

    def parse(self, arguments=None, namespace=None):
        raise ParsedError(original(self, arguments, namespace))

    monkeypatch.setattr(suite.argparse.ArgumentParser, "parse_args", parse)
    for quick in ((), entry.quick):
        with pytest.raises(ParsedError):
            module.main([*entry.words, *quick, *taken, "--out", str(tmp_path / "x.json")])


@pytest.mark.slow
def test_one_in_a_process_of_its_own(tmp_path):
    words = ["table", "--quick", "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "bench", *words], cwd=suite.PROJECT, check=True)
    assert done.returncode == 0
    assert json.loads((tmp_path / "table.json").read_text())["results"]["records"] == 50


def test_commands_have_no_folders_of_this_machine():
    words = [
        "--checkpoint",
        "/there/net.pt",
        "float=/there/f.onnx",
        "--out",
        "/there/x",
        "--data",
        "a/b",
    ]
    assert without_paths("it", words) == "it --checkpoint net.pt float=f.onnx --data a/b"


def test_a_benchmark_of_a_gpu_is_left_out_without_one(calls, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(suite.torch.cuda, "is_available", lambda: False)
    assert main(tmp_path, "step_cuda", "data") == 0
    assert [module for module, _ in calls] == ["bench.data"]
    assert "step_cuda: left out, since torch finds no CUDA device" in capsys.readouterr().out
    monkeypatch.setattr(suite.torch.cuda, "is_available", lambda: True)
    main(tmp_path, "step_cuda")
    assert calls[-1][0] == "bench.step"
