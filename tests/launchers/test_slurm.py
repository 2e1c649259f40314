"""Runs as jobs of a real SLURM, and as processes of submitit without one."""

import shutil

import pytest

from tests.launchers.conftest import POINTS

pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
SLURM = ["hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=2"]
needs_slurm = pytest.mark.skipif(shutil.which("sbatch") is None, reason="slurm: no sbatch here")


@pytest.mark.slurm
@pytest.mark.timeout(900)
@needs_slurm
def test_a_slurm_sweep_gives_the_metrics_of_a_local_one(sweeps, locally):
    code, out = sweeps.run("slurm", *POINTS, *SLURM)
    assert code == 0, out
    assert sweeps.metrics("slurm") == locally


@pytest.mark.slurm
@pytest.mark.timeout(900)
def test_submitits_own_processes_give_the_metrics_of_a_local_sweep(sweeps, locally):
    words = ["hydra/launcher=submitit_local", "hydra.launcher.cpus_per_task=1"]
    code, out = sweeps.run("processes", *POINTS, *words)
    assert code == 0, out
    assert sweeps.metrics("processes") == locally


@pytest.mark.slurm
@pytest.mark.timeout(900)
@needs_slurm
def test_a_killed_job_is_launched_again(sweeps, locally):
    process = sweeps.start("killed", *POINTS, *SLURM)
    killed = sweeps.kill_one("killed", lambda record: True, process)
    out, _ = process.communicate()
    assert "the launcher ended with" in out
    assert process.returncode == 0, out
    assert killed in sweeps.records("killed")
    assert sweeps.metrics("killed") == locally
