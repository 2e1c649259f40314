"""A request that is wrong is refused before anything heavy is loaded."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = (
    *("torch", "torchvision", "lightning", "torchmetrics", "tensorboard"),
    *("onnx", "onnxruntime", "onnxscript", "pandas", "matplotlib", "scipy"),
)
WRONG = {
    "schem=nope": "no key 'schem'; did you mean scheme=",
    "model=nope mode=ptq": "no 'nope' in model",
    "scheme.weight.bits=99": "scheme.weight.bits must be 2 to 16",
    "scheme.weight.bits=8,99 -m": "scheme.weight.bits must be 2 to 16",
    "model.checkpoint=nowhere.pt": "model.checkpoint=nowhere.pt is no file",
    "model=torchvision model.name=resnet81": "similar names: resnet18",
    "scheme.act.observer=emma": "did you mean 'ema'?",
    "--nope": "no flag '--nope'",
}
SCRIPT = """
import contextlib, io, json, sys, time
from qat.cli.main import main

for line in json.loads(sys.argv[1]):
    told = io.StringIO()
    with contextlib.redirect_stderr(told):
        code = main(["run", *line.split()])
    loaded = [name for name in json.loads(sys.argv[2]) if name in sys.modules]
    print(json.dumps([line, code, told.getvalue(), loaded]), flush=True)
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
    return {line: rest for line, *rest in map(json.loads, answers)}, float(seconds)


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_request_loads_nothing_heavy(line, refusals):
    code, told, loaded = refusals[0][line]
    assert code == 2
    assert told.count("\n") == 1
    assert WRONG[line] in told
    assert loaded == []


def test_each_is_refused_within_three_seconds_of_the_processor(refusals):
    assert refusals[1] / len(WRONG) < 3
