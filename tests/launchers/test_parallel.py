"""Several runs at once through joblib."""

import pytest

from tests.launchers.conftest import POINTS

pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
PARALLEL = ["hydra/launcher=parallel", "hydra.launcher.n_jobs=2"]


@pytest.mark.slow
def test_a_parallel_sweep_gives_the_metrics_of_a_local_one(sweeps, locally):
    code, out = sweeps.run("parallel", *POINTS, *PARALLEL)
    assert code == 0, out
    assert sweeps.metrics("parallel") == locally


@pytest.mark.slow
def test_what_a_killed_worker_took_along_is_launched_again(sweeps, locally):
    process = sweeps.start("killed", *POINTS, *PARALLEL)
    killed = sweeps.kill_one("killed", lambda record: True, process)
    out, _ = process.communicate()
    assert "the launcher ended with TerminatedWorkerError" in out
    assert process.returncode == 0, out
    assert killed in sweeps.records("killed")
    assert sweeps.metrics("killed") == locally
