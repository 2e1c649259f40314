"""Whole ``qat`` commands in a process of their own: wall and CPU seconds, runs and cache apart."""

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Taken:
    """What a command took, its children that it waited for included.

    Args:
        wall_s: Wall seconds.
        user_s: User CPU seconds.
        system_s: CPU seconds of the system.
    """

    wall_s: float
    user_s: float
    system_s: float


class CommandError(RuntimeError):
    """A command did not end as it should."""


def environment(home: Path, checkout: Path = PROJECT) -> dict[str, str]:
    """Variables of a command: code of ``checkout``, runs and cache in ``home``.

    Data sets stay where they are. Byte code is kept, as it is wherever the command is used.

    Args:
        home: Gets the folders ``runs`` and ``cache``.
        checkout: Folder with the package ``qat``.
    """
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {
        "PYTHONPATH": str(checkout),
        "QAT_RUNS": str(home / "runs"),
        "QAT_CACHE": str(home / "cache"),
        "QAT_DATA": str(Path(os.environ.get("QAT_DATA", PROJECT / "data")).resolve()),
    }


def run_python(
    words: Sequence[str], home: Path, checkout: Path = PROJECT, returncode: int = 0
) -> Taken:
    """Run ``python WORDS`` in ``checkout`` and wait for it.

    Args:
        words: Arguments of the interpreter.
        home: Of its runs and its cache.
        checkout: Whose code runs.
        returncode: With which it should end.

    Raises:
        CommandError: If it ends with another one.
    """
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    done = subprocess.run(
        [sys.executable, *words],
        cwd=checkout,
        env=environment(home, checkout),
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != returncode:
        raise CommandError(
            f"python {' '.join(words)} ended with {done.returncode}, not {returncode}, in "
            f"{checkout}: {(done.stderr or done.stdout).strip()[-500:]}"
        )
    return Taken(wall, after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime)


def run_qat(
    words: Sequence[str], home: Path, checkout: Path = PROJECT, returncode: int = 0
) -> Taken:
    """Run ``qat WORDS`` and wait for it.

    Args:
        words: Arguments of ``qat``.
        home: Of its runs and its cache.
        checkout: Whose code runs.
        returncode: With which it should end.

    Raises:
        CommandError: If it ends with another one.
    """
    return run_python(["-m", "qat", *words], home, checkout, returncode)
