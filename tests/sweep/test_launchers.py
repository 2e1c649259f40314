"""What launchers are refused, in one line, and how many threads their jobs have."""

import os
import socket

import pytest

from qat.sweep import launchers
from qat.sweep.launchers import check_launcher, check_reachable, job_threads

JOBLIB = {"_target_": "a.JoblibLauncher"}
SLURM = {"_target_": "a.SlurmLauncher"}


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def ray(remote=None, **init):
    return {"_target_": "a.RayLauncher", "ray": {"init": init, "remote": remote or {}}}


@pytest.mark.parametrize(
    ("launcher", "threads"),
    [
        (JOBLIB | {"n_jobs": 2}, 4),
        (JOBLIB | {"n_jobs": 3}, 2),
        (JOBLIB | {"n_jobs": 16}, 1),
        (JOBLIB | {"n_jobs": -1}, 1),  # one job a core
        (JOBLIB | {"n_jobs": -5}, 2),  # 8 + 1 - 5 = 4 jobs
        (SLURM | {"cpus_per_task": 3}, 3),
        (SLURM | {"cpus_per_task": None}, None),
        (ray({"num_cpus": 2}), 2),
        (ray({"num_cpus": 0.5}), 1),
        (ray(), None),
        ({"_target_": "a.BasicLauncher"}, None),
    ],
)
def test_threads_of_a_job_share_the_cores(eight_cores, launcher, threads):
    assert job_threads(launcher) == threads


def test_openmps_own_limit_is_kept(eight_cores, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert job_threads(JOBLIB | {"n_jobs": 2}) == 1


@pytest.mark.parametrize(
    ("name", "extra"), [("parallel", "joblib"), ("slurm", "slurm"), ("ray_cluster", "ray")]
)
def test_a_launcher_that_is_not_installed_is_refused_with_the_cure(monkeypatch, name, extra):
    monkeypatch.setattr(launchers, "find_spec", lambda module: None)
    with pytest.raises(ValueError, match=rf"={name} is not installed: .*qatlab\[{extra}\]"):
        check_launcher(name)
    check_launcher("local")


def test_slurm_without_sbatch_is_refused(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValueError, match="no sbatch on this machine"):
        check_reachable(SLURM)


@pytest.fixture
def sinfo(tmp_path, monkeypatch):
    """Put a sinfo into the path that does what the given shell line says."""

    def write(line):
        for name in ("sbatch", "sinfo"):
            path = tmp_path / name
            path.write_text(f"#!/bin/sh\n{line}\n")
            path.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return write


def test_slurm_that_does_not_answer_is_refused(sinfo):
    sinfo("exit 1")
    with pytest.raises(ValueError, match="does not answer"):
        check_reachable(SLURM)


def test_a_partition_that_is_not_there_is_refused(sinfo):
    sinfo("echo debug; echo big")
    check_reachable(SLURM | {"partition": "big"})
    with pytest.raises(ValueError, match="no such partition; there are big, debug"):
        check_reachable(SLURM | {"partition": "huge"})


def test_a_ray_address_that_does_not_answer_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        check_reachable(ray(address=address))
    with pytest.raises(ValueError, match=f"address={address}: no Ray answers there"):
        check_reachable(ray(address=address))
    check_reachable(ray(address=None))


def test_relative_folders_are_refused_where_workers_start_elsewhere():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        there = {"env_vars": {"QAT_RUNS": "/shared/runs"}}
        check_reachable(ray(address=address, runtime_env=there))
        relative = ray(address=address, runtime_env={"env_vars": {"QAT_RUNS": "runs"}})
        with pytest.raises(ValueError, match=r"QAT_RUNS=runs: .* absolute folder"):
            check_reachable(relative)
