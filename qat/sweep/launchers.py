"""Hydra's launchers: whether the requested one works here, and the number of threads of a job."""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from qat.base.errors import RequestError

ANSWER_SECONDS = 10.0
"""Time that a scheduler has to answer."""

# Launcher (ours and those of the plugins) → the module that it needs, and the extra with it.
_NEEDS = {
    "joblib": ("hydra_plugins.hydra_joblib_launcher", "joblib"),
    "parallel": ("hydra_plugins.hydra_joblib_launcher", "joblib"),
    "slurm": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "submitit_slurm": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "submitit_local": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "ray": ("hydra_plugins.hydra_ray_launcher", "ray"),
    "ray_cluster": ("hydra_plugins.hydra_ray_launcher", "ray"),
}


def check_launcher(name: str) -> None:
    """Check that the packages of a launcher are installed. Hydra itself refuses unknown names.

    Args:
        name: The option of ``hydra/launcher``.

    Raises:
        RequestError: If they are not installed.
    """
    if name not in _NEEDS:
        return
    module, extra = _NEEDS[name]
    if not _installed(module):
        raise RequestError(
            f"hydra/launcher={name} is not installed: pip install 'qatlab[{extra}]', "
            "or leave out hydra/launcher to run one job after the other"
        )


def check_reachable(launcher: Mapping[str, Any]) -> None:
    """Check that a scheduler answers, before anything is started.

    Args:
        launcher: The composed ``hydra.launcher``.

    Raises:
        RequestError: If it does not answer, does not have the partition, or starts its workers in
            other folders and a folder of ours is relative.
    """
    kind = _kind(launcher)
    if kind == "SlurmLauncher":
        _ask_slurm(launcher.get("partition"))
    elif kind == "RayLauncher":
        init = launcher["ray"]["init"]
        _ask_ray(init.get("address"))
        if init.get("address"):
            _check_shared((init.get("runtime_env") or {}).get("env_vars") or {})


def is_basic(launcher: Mapping[str, Any]) -> bool:
    """Whether a launcher runs its jobs one after the other in this process.

    Args:
        launcher: The composed ``hydra.launcher``.
    """
    return _kind(launcher) == "BasicLauncher"


def job_threads(launcher: Mapping[str, Any]) -> int | None:
    """Number of threads of a job, so that all jobs of a machine together use its cores.

    joblib: cores // n_jobs; SLURM: ``cpus_per_task``; Ray: ``remote.num_cpus``. It is at least 1
    and at most ``OMP_NUM_THREADS``. Results are equal bit for bit only at equal thread count.

    Args:
        launcher: The composed ``hydra.launcher``.

    Returns:
        The number; None: leave the number unchanged.
    """
    share = _share(launcher)
    if share is None:
        return None
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(share, int(limit)) if limit.isdigit() else share)


def _share(launcher: Mapping[str, Any]) -> int | None:
    kind = _kind(launcher)
    if kind == "JoblibLauncher":
        cores, jobs = _cores(), int(launcher.get("n_jobs") or 1)
        return cores // (jobs if jobs > 0 else max(1, cores + 1 + jobs))
    per_job = None
    if kind in ("SlurmLauncher", "LocalLauncher"):
        per_job = launcher.get("cpus_per_task")
    elif kind == "RayLauncher":
        per_job = launcher["ray"]["remote"].get("num_cpus")
    return None if per_job is None else int(per_job)


def _kind(launcher: Mapping[str, Any]) -> str:
    return str(launcher.get("_target_", "")).rpartition(".")[2]


def _cores() -> int:
    """Number of cores that this process may use, or of all cores if the system cannot say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is missing too
        return False


def _ask_slurm(partition: str | None) -> None:
    if shutil.which("sbatch") is None or shutil.which("sinfo") is None:
        raise RequestError(
            "hydra/launcher=slurm: no sbatch on this machine; start the sweep on a login node of "
            "the cluster, or use hydra/launcher=parallel"
        )
    command = ["sinfo", "--noheader", "--format=%R"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS)
    except subprocess.TimeoutExpired:
        answer = None
    if answer is None or answer.returncode:
        raise RequestError("hydra/launcher=slurm: SLURM does not answer; check it with sinfo")
    partitions = sorted(set(answer.stdout.split()))
    if partition and not set(partition.split(",")) <= set(partitions):
        raise RequestError(
            f"hydra.launcher.partition={partition}: no such partition; there are "
            f"{', '.join(partitions)}"
        )


def _ask_ray(address: str | None) -> None:
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # no address, or a word that Ray itself resolves
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise RequestError(
            f"hydra.launcher.ray.init.address={address}: no Ray answers there ({error}); start it "
            "with ray start --head, or leave out the address"
        ) from error


def _check_shared(variables: Mapping[str, str]) -> None:
    """Raise RequestError if a folder is relative: workers would look for it in another place."""
    for name, folder in variables.items():
        if name.startswith("QAT_") and not Path(folder).is_absolute():
            raise RequestError(
                f"{name}={folder}: the workers of a Ray cluster start in other folders; set {name} "
                "to an absolute folder that all nodes see"
            )
