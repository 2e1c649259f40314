"""Where a run was made: machine, versions, commit. Imports no framework."""

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "qatlab",
    "torch",
    "torchvision",
    "timm",
    "lightning",
    "torchmetrics",
    "hydra-core",
    "tensorboard",
    "safetensors",
    "onnx",
    "onnxruntime",
    "openvino",
    "numpy",
    "scipy",
)
# As the kernel names them; the integer kernels of runtimes need these.
INSTRUCTIONS = (
    *("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "amx_tile"),
    *("asimddp", "i8mm"),
)
# Best first: each adds four 8-bit products into 32 bits at once; x86 and ARM.
INTEGER_PRODUCTS = ("amx_int8", "avx512_vnni", "avx_vnni", "i8mm", "asimddp")
PROJECT = Path(__file__).resolve().parents[2]
COMMIT_VARIABLE = "QAT_COMMIT"
"""Has the commit where there is no repository: in a container, or in a copied tree."""
DIFF_LIMIT = 20_000
CONFIG_DIR = "config_dir"
"""Key of the folder of the user's YAML (``--config-dir``); absent without one."""


def environment_facts(
    threads: int | None = None, packages: Iterable[str] = PACKAGES
) -> dict[str, Any]:
    """The ``environment`` of a record.

    Args:
        threads: Number of threads of the framework, which is not imported here.
        packages: Distributions whose versions are recorded; absent ones are left out.

    Returns:
        ``python``, ``platform``, ``machine``, ``cores`` (usable ones), ``cpu``, ``instructions``,
        ``threads``, ``versions``, ``commit``, ``dirty`` and, if dirty, ``dirty_diff``.
    """
    cpu, instructions = cpu_facts()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": usable_cores(),
        "cpu": cpu,
        "instructions": instructions,
        "threads": threads,
        "versions": versions(packages),
        **git_facts(PROJECT),
    }


def usable_cores() -> int:
    """Cores that this process can run on; in a container or a job fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_facts(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, list[str]]:
    """Name of the CPU, and those of its instruction sets that integer kernels use.

    Args:
        cpuinfo: File of the system; without it the name is Python's, and the list is empty.
    """
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), []
    pairs = (line.partition(":") for line in reversed(lines))
    facts = {name.strip(): value.strip() for name, _, value in pairs}
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    return facts.get("model name", platform.machine()), [i for i in INSTRUCTIONS if i in flags]


def integer_products(instructions: Iterable[str]) -> str | None:
    """The best instruction of a CPU for sums of 8-bit products, such as ``avx512_vnni``.

    None if the CPU has none of them: integer kernels are slower then.

    Example:
        >>> integer_products(["avx2", "avx_vnni"])
        'avx_vnni'
    """
    available = set(instructions)
    return next((name for name in INTEGER_PRODUCTS if name in available), None)


def products_may_saturate(instructions: Iterable[str]) -> bool:
    """Whether sums of u8 x s8 products may be clipped on a CPU: x86 without VNNI and AMX.

    Its kernels add two products in 16 bits (VPMADDUBSW): 2 * 255 * 127 = 64770 > 32767. Weights of
    7 bits stay inside: 2 * 255 * 63 = 32130 and -64 * 2 * 255 = -32640.

    Example:
        >>> products_may_saturate(["avx2"]), products_may_saturate(["avx2", "avx_vnni"])
        (True, False)
    """
    available = set(instructions)
    return bool(available & {"avx2", "avx512f"}) and integer_products(available) is None


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Version of each installed distribution, from its metadata; nothing is imported."""
    installed = {}
    for name in packages:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


def git_facts(project: Path) -> dict[str, Any]:
    """The project's commit, and whether its files differ from the commit.

    Args:
        project: The folder of the project. If it is not the top of a repository, such as an
            installed package inside another repository, the commit is that of
            :data:`COMMIT_VARIABLE`, or None.
    """
    top, _, commit = (_git(project, "rev-parse", "--show-toplevel", "HEAD") or "").partition("\n")
    if not commit or Path(top).resolve() != project.resolve():
        return {"commit": os.environ.get(COMMIT_VARIABLE) or None, "dirty": False}
    changes = _git(project, "status", "--porcelain") or ""
    facts: dict[str, Any] = {"commit": commit.strip(), "dirty": bool(changes.strip())}
    if facts["dirty"]:
        diff = changes + (_git(project, "diff", "HEAD") or "")
        facts["dirty_diff"] = diff[:DIFF_LIMIT]
    return facts


def _git(project: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        # There is no git, or no repository, so there is no commit.
        return None
    return done.stdout
