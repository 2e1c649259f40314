"""Hydra's launchers: can the one that was asked for work here, and how many threads has a job."""

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
"""How long a scheduler may take to answer."""

# Launcher, ours and the plugin's own, → what it imports and the extra that installs it.
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
    """Look whether a launcher's packages are installed; unknown names are Hydra's to judge.

    Args:
        name: The option of ``hydra/launcher``.

    Raises:
        RequestError: If they are not, with the cure.
    """
    if name not in _NEEDS:
        return
    module, extra = _NEEDS[name]
    if not _installed(module):
        raise RequestError(
            f"hydra/launcher={name} is not installed: pip install 'qatlab[{extra}]', "
            "or leave hydra/launcher out to run one job after the other"
        )


def check_reachable(launcher: Mapping[str, Any]) -> None:
    """Ask a scheduler whether it is there, before anything is started.

    Args:
        launcher: The composed ``hydra.launcher``.

    Raises:
        RequestError: If it does not answer, lacks the partition that was named, or has workers
            that would look for relative folders somewhere else.
    """
    kind = _kind(launcher)
    if kind == "SlurmLauncher":
        _ask_slurm(launcher.get("partition"))
    elif kind == "RayLauncher":
        init = launcher["ray"]["init"]
        _ask_ray(init.get("address"))
        if init.get("address"):
            _check_shared((init.get("runtime_env") or {}).get("env_vars") or {})


def job_threads(launcher: Mapping[str, Any]) -> int | None:
    """Threads a job computes with, so that all jobs of a machine together fill its cores.

    joblib: cores // n_jobs; SLURM: ``cpus_per_task``; Ray: ``remote.num_cpus``; at least 1, and
    never more than ``OMP_NUM_THREADS``. Results are equal bit for bit only at equal thread count.

    Args:
        launcher: The composed ``hydra.launcher``.

    Returns:
        The number, or None: leave it as it is.
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
    """Cores this process may use, where the system tells; all of the machine's otherwise."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is not there either
        return False


def _ask_slurm(partition: str | None) -> None:
    if shutil.which("sbatch") is None or shutil.which("sinfo") is None:
        raise RequestError(
            "hydra/launcher=slurm: no sbatch on this machine; start it on a login node of the "
            "cluster, or take hydra/launcher=parallel"
        )
    words = ["sinfo", "--noheader", "--format=%R"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=ANSWER_SECONDS)
    except subprocess.TimeoutExpired:
        answer = None
    if answer is None or answer.returncode:
        raise RequestError("hydra/launcher=slurm: SLURM does not answer; see what sinfo says")
    there = sorted(set(answer.stdout.split()))
    if partition and not set(partition.split(",")) <= set(there):
        raise RequestError(
            f"hydra.launcher.partition={partition}: no such partition; there are {', '.join(there)}"
        )


def _ask_ray(address: str | None) -> None:
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # none, or a word that Ray itself resolves
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise RequestError(
            f"hydra.launcher.ray.init.address={address}: no Ray answers there ({error}); start it "
            "with ray start --head, or leave the address out"
        ) from error


def _check_shared(variables: Mapping[str, str]) -> None:
    """Raise RequestError if workers elsewhere would take a folder from their own place."""
    for name, folder in variables.items():
        if name.startswith("QAT_") and not Path(folder).is_absolute():
            raise RequestError(
                f"{name}={folder}: workers of a Ray cluster start elsewhere; set {name} to an "
                "absolute folder that all nodes see"
            )
