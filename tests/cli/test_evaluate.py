"""qat evaluate; runs with damaged or missing files are refused by name and can be repeated."""

import json
from pathlib import Path

import pytest

from qat.cli.evaluate import evaluate_command
from tests.command_line import SMALL

WORDS = [*SMALL, "+data.options.image_size=8", "data.train_images=64"]


@pytest.fixture
def run(finished):
    return finished(*WORDS)[0]


def assert_refused(qat, words, *parts):
    code, _, err = qat(*words)
    assert code == 2
    assert err.startswith("qat: ")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err


def test_a_damaged_record_is_named_and_force_makes_it_anew(qat, run):
    (run / "run.json").write_text('{"id": ')
    for command in (["show", str(run)], ["evaluate", str(run)], ["run", "--from", str(run)]):
        assert_refused(qat, command, "run.json: damaged")
    code, out, err = qat("run", *WORDS)
    assert code == 1
    assert "run.json: damaged" in err
    assert "force=true computes the run again" in err
    assert err.count("\n") == 1
    code, out, _ = qat("table", str(run))
    assert code == 0
    assert "1 unreadable, skipped" in out
    assert qat("run", *WORDS, "force=true")[0] == 0
    assert json.loads((run / "run.json").read_text())["status"] == "done"


@pytest.mark.parametrize("text", [None, "a: [", "mode: [1]\n"])
def test_a_missing_or_damaged_configuration_is_named(qat, run, text):
    (run / "config.yaml").unlink()
    if text is not None:
        (run / "config.yaml").write_text(text)
    assert_refused(qat, ["evaluate", str(run)], "config.yaml is missing or damaged", "force=true")


def test_a_missing_packed_file_is_named(qat, run):
    (run / "packed.safetensors").unlink()
    assert_refused(qat, ["evaluate", str(run)], "packed.safetensors is gone", "force=true")


def test_a_float_run_has_nothing_to_evaluate(qat, home):
    _, out, _ = qat("run", *WORDS, "mode=float")
    folder = Path(out.strip().splitlines()[-1].removeprefix("record: ")).parent
    assert_refused(qat, ["evaluate", str(folder)], "is a float run")


def test_an_unfinished_run_is_not_evaluated(qat, run):
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"status": "failed", "error": "it broke"}))
    assert_refused(qat, ["evaluate", str(run)], "is failed", "run it to its end first")
    assert "failed: it broke" in qat("show", str(run))[1]


def test_evaluate_gives_what_was_recorded(home, run, capsys):
    assert evaluate_command(run) == 0
    assert capsys.readouterr().out.count("as recorded") == 3
    record = json.loads((run / "run.json").read_text())
    record["metrics"]["top1"] -= 0.01
    (run / "run.json").write_text(json.dumps(record))
    assert evaluate_command(run) == 1
    assert f"recorded {record['metrics']['top1']}" in capsys.readouterr().out


def test_a_damaged_packed_file_is_named(qat, run):
    path = run / "packed.safetensors"
    path.write_bytes(path.read_bytes()[:200])
    assert_refused(qat, ["evaluate", str(run)], "altered or damaged")
