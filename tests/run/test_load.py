"""What the notebook's door to a finished run needs."""

import subprocess
import sys

import pytest

from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.run.load import load_run
from qat.run.outputs import logits_of_test_set
from tests.command_line import TINY

HEAVY = ("hydra", "lightning", "torch", "onnx", "pandas")


def modules_after(*steps):
    """The heavy libraries that a new process has loaded after each step of code."""
    loaded = f"print(*[m for m in {HEAVY} if m in sys.modules])"
    code = "import sys; " + "; ".join(f"{step}; {loaded}" for step in steps)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [set(line.split()) for line in done.stdout.splitlines()[-len(steps) :]]


@pytest.mark.slow
def test_what_a_notebook_loads_needs_no_hydra_and_loading_a_run_no_lightning(finished):
    loads = [
        f"import qat; qat.load_run({str(finished(*TINY, f'mode={mode}')[0])!r})"
        for mode in ("static", "float")
    ]
    room = "import qat.run.pipeline, qat.run.prepare, qat.run.load"
    static, floating, whole = modules_after(*loads, room)
    assert static & {"hydra", "lightning", "torch"} == {"torch"}
    assert floating & {"hydra", "lightning", "torch"} == {"torch"}
    assert "hydra" not in whole


def test_a_table_needs_none_of_them(finished):
    folder, _ = finished(*TINY, "mode=static")
    [loaded] = modules_after(
        f"from qat.cli.main import main; assert main(['table', {str(folder)!r}]) == 0"
    )
    assert loaded == set()


def test_a_loaded_run_has_the_outputs_of_its_record(finished):
    folder, _ = finished(*TINY, "mode=static")
    run = load_run(folder)
    logits = logits_of_test_set(run.prepared, run.qnet, "evaluation")
    right = logits.argmax(1) == run.prepared.data.test.labels
    assert float(right.float().mean()) == pytest.approx(run.record.metrics["top1"])
    assert run.unverified == ()


def test_a_run_that_has_not_ended_is_refused(tmp_path):
    RunFolder(tmp_path / ("0" * 12)).create().write(RunRecord("0" * 12, "running", "static", 0))
    with pytest.raises(ValueError, match="run it to its end first"):
        load_run(tmp_path / ("0" * 12))
