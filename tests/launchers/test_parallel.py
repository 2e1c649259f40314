"""Several runs at once through joblib."""

from pathlib import Path

import pytest

from tests.command_line import SMALL
from tests.launchers.conftest import POINTS

pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
PARALLEL = ["hydra/launcher=parallel", "hydra.launcher.n_jobs=2"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_parallel_sweep_gives_the_metrics_of_a_local_one(sweeps, locally):
    code, out = sweeps.run("parallel", *POINTS, *PARALLEL)
    assert code == 0, out
    assert sweeps.metrics("parallel") == locally


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_a_killed_worker_took_along_is_launched_again(sweeps, locally):
    process = sweeps.start("killed", *POINTS, *PARALLEL)
    killed = sweeps.kill_one("killed", lambda record: True, process)
    out, _ = process.communicate()
    assert "the launcher ended with TerminatedWorkerError" in out
    assert process.returncode == 0, out
    assert killed in sweeps.records("killed")
    assert sweeps.metrics("killed") == locally


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_job_that_ends_its_process_is_no_success(sweeps, tmp_path):
    """The network ends whatever process computes with it, once it is past the checks."""
    (tmp_path / "leaving.py").write_text(
        "import torch\n"
        "class Leaving(torch.nn.Sequential):\n"
        "    def train(self, mode=True):\n"
        "        if mode and b'popen_loky' in open('/proc/self/cmdline', 'rb').read():\n"
        "            raise SystemExit(0)\n"
        "        return super().train(mode)\n"
        "def net(classes, in_channels, image_size):\n"
        "    side = image_size * image_size * in_channels\n"
        "    return Leaving(torch.nn.Flatten(), torch.nn.Linear(side, classes))\n"
    )
    words = [*SMALL, "mode=float", "float.seed=0,1", "model=user", "model.target=leaving:net"]
    code, out = sweeps.run("left", *words, *PARALLEL, PYTHONPATH=f"{tmp_path}:{Path.cwd()}")
    assert code == 1, out
    found = sweeps.records("left").values()
    assert [record["status"] for record in found] == ["failed", "failed"]
    assert all("ended the process" in record["error"] for record in found)
