"""A request that is wrong is refused before anything heavy is loaded."""

import json
import os
import subprocess
import sys

import pytest

from qat.run.request import checks as request_checks
from qat.run.request.checks import check_logger, check_request, check_writable

HEAVY = (
    *("torch", "torchvision", "lightning", "torchmetrics", "tensorboard"),
    *("onnx", "onnxruntime", "onnxscript", "pandas", "matplotlib", "scipy"),
)
WRONG = {
    "schem=nope": "no key 'schem'; did you mean scheme=",
    "model=nope mode=ptq": "no 'nope' in model",
    "scheme.weight.bits=99": "scheme.weight.bits must be 2 to 16",
    "scheme.weight.bits=8,99 -m": "scheme.weight.bits must be 2 to 16",
    "model.checkpoint=nowhere.pt": "model.checkpoint=nowhere.pt is not a file",
    "model=torchvision model.name=resnet81": "similar names: resnet18",
    "scheme.act.observer=emma": "did you mean 'ema'?",
    "--nope": "no flag '--nope'",
}
SCRIPT = """
import contextlib, io, json, sys, time
from qat.cli.main import main

for line in json.loads(sys.argv[1]):
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        code = main(["run", *line.split()])
    loaded = [name for name in json.loads(sys.argv[2]) if name in sys.modules]
    print(json.dumps([line, code, errors.getvalue(), loaded]), flush=True)
print(time.process_time())
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """(answers, CPU seconds of all of them) of one new process."""
    home = tmp_path_factory.mktemp("home")
    words = [sys.executable, "-c", SCRIPT, json.dumps(list(WRONG)), json.dumps(HEAVY)]
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, cwd=home, env=dict(os.environ)
    )
    *answers, seconds = done.stdout.splitlines()
    return {line: answer for line, *answer in map(json.loads, answers)}, float(seconds)


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_request_loads_nothing_heavy(line, refusals):
    code, message, loaded = refusals[0][line]
    assert code == 2
    assert message.count("\n") == 1
    assert WRONG[line] in message
    assert loaded == []


def test_each_is_refused_within_three_seconds_of_the_processor(refusals):
    assert refusals[1] / len(WRONG) < 3


def test_a_logger_that_is_not_installed_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setattr(request_checks, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'qatlab\[wandb\]'"):
        check_logger("wandb")
    check_logger("none")


def test_an_unknown_logger_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="none, mlflow, wandb"):
        check_logger("neptune")


def test_a_folder_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    check_writable("paths.runs", tmp_path / "new" / "runs")
    assert not (tmp_path / "new").exists()
    with pytest.raises(ValueError, match=r"file cannot be written; set paths\.runs or QAT_RUNS"):
        check_writable("paths.runs", tmp_path / "file" / "runs")


def test_images_to_calibrate_with_that_are_absent(make_config, tmp_path):
    with pytest.raises(ValueError, match="nowhere: no such folder or file"):
        check_request(make_config(calibrate__path=str(tmp_path / "nowhere")))
    check_request(make_config("dynamic", calibrate__path=str(tmp_path / "nowhere")))
    check_request(make_config())
