"""Each command loads what it needs: a list of heavy libraries, looked for in new processes."""

import json
import os
import subprocess
import sys

import pytest

from tests.command_line import SMALL

HEAVY = {
    *("torch", "torchvision", "torch._dynamo", "sympy", "lightning", "torchmetrics"),
    *("tensorboard", "onnx", "onnxruntime", "onnxscript", "pandas", "matplotlib", "scipy"),
}
SCRIPT = """
import json, sys
code = 0
if sys.argv[2:]:
    from qat.cli.main import main
    code = main(sys.argv[2:])
else:
    import qat
print(json.dumps([code, [name for name in json.loads(sys.argv[1]) if name in sys.modules]]))
"""
STATIC = ["run", *SMALL, "scheme=w4a4"]


def loaded(*words):
    """Heavy libraries that a command has loaded in a process of its own."""
    command = [sys.executable, "-c", SCRIPT, json.dumps(sorted(HEAVY)), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    code, names = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return set(names)


@pytest.fixture
def float_network(home, qat):
    """Trained and in the cache."""
    assert qat("run", *SMALL, "mode=float")[0] == 0


def test_the_package_loads_nothing():
    assert loaded() == set()


def test_a_static_run_loads_torch_and_a_finished_run_not_even_that(float_network):
    assert loaded(*STATIC) == {"torch"}
    assert loaded(*STATIC) == set()


@pytest.mark.slow
def test_a_finished_sweep_loads_neither_torch_nor_matplotlib(float_network):
    sweep = ["run", *SMALL, "-m", "scheme=w8a8,w4a4"]
    assert "torch" in loaded(*sweep)
    assert loaded(*sweep) == set()


@pytest.mark.slow
def test_a_training_run_loads_lightning_and_no_exporter(float_network):
    names = loaded(*STATIC, "mode=qat", "trainer=smoke")
    assert {"torch", "lightning"} <= names
    assert not names & {"onnx", "onnxruntime", "onnxscript"}
