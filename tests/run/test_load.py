"""What the notebook's door to a finished run needs."""

import subprocess
import sys

import pytest

from tests.command_line import TINY


def modules_after(code):
    """The libraries that some code loads in a process of its own."""
    heavy = "('hydra', 'lightning', 'torch', 'onnx', 'pandas')"
    line = f"{code}; import sys; print(*[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("mode", ["static", "float"])
def test_loading_a_run_needs_neither_hydra_nor_lightning(finished, mode):
    folder, _ = finished(*TINY, f"mode={mode}")
    loaded = modules_after(f"import qat; qat.load_run({str(folder)!r})")
    assert loaded & {"hydra", "lightning", "torch"} == {"torch"}


def test_the_room_needs_no_hydra():
    loaded = modules_after("import qat.run.pipeline, qat.run.prepare, qat.run.load")
    assert "hydra" not in loaded


def test_a_table_needs_none_of_them(finished):
    folder, _ = finished(*TINY, "mode=static")
    loaded = modules_after(
        f"from qat.cli.main import main; assert main(['table', {str(folder)!r}]) == 0"
    )
    assert loaded == set()
