"""The values of Hydra's launchers and searches, checked before anything starts.

Hydra types only the settings of a plugin's own files, not those of ``conf/hydra``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qat.base.errors import RequestError
from qat.config.checks.key_ranges import Range, shown

MOST = 10**6
"""Largest count of a launcher; above it, a value is a mistake."""


@dataclass(frozen=True)
class Allowed:
    """The values that a key of a launcher takes.

    Attributes:
        words: Text for the message.
        example: A value that is right.
        numbers: Numbers in it are allowed; None for none.
        whole: Only whole numbers.
        others: Further values; compared with their types.
    """

    words: str
    example: str
    numbers: Range | None = None
    whole: bool = True
    others: tuple[Any, ...] = ()

    def __contains__(self, value: object) -> bool:
        """Whether a value is allowed."""
        if any(type(value) is type(other) and value == other for other in self.others):
            return True
        if self.numbers is None or (self.whole and not isinstance(value, int)):
            return False
        return value in self.numbers


def _whole(low: int, example: int, null: bool = False) -> Allowed:
    words = f"a whole number, {low} or more" + (", or null" if null else "")
    others = (None,) if null else ()
    return Allowed(words, str(example), Range(low, MOST), others=others)


def _above_zero(example: int) -> Allowed:
    numbers = Range(0, MOST, above=True)
    return Allowed("a number above 0, or null", str(example), numbers, False, (None,))


def _truth(null: bool = False) -> Allowed:
    others = (True, False, *((None,) if null else ()))
    return Allowed("true or false" + (", or null" if null else ""), "true", others=others)


def _one_of(*words: str) -> Allowed:
    return Allowed(f"one of {', '.join(words)}, or null", words[0], others=(*words, None))


_JOBS = Allowed(
    "a whole number of runs at a time, or -1 for one run per core",
    "2",
    Range(1, MOST, also=tuple(range(-4096, 0))),
    others=(None,),
)
_SUBMITIT = {
    "cpus_per_task": _whole(1, 2, null=True),
    "mem_gb": _above_zero(4),
    "timeout_min": _whole(1, 60),
    "array_parallelism": _whole(1, 8),
    "nodes": _whole(1, 1),
    "tasks_per_node": _whole(1, 1),
    "gpus_per_node": _whole(0, 1, null=True),
    "signal_delay_s": _whole(0, 120),
    "max_num_timeout": _whole(0, 0),
    "stderr_to_stdout": _truth(),
}
# Last word of ``_target_`` → key below hydra.launcher or hydra.sweeper → what it takes.
_ALLOWED: Mapping[str, Mapping[str, Allowed]] = {
    "JoblibLauncher": {
        "n_jobs": _JOBS,
        "backend": _one_of("loky", "multiprocessing", "threading"),
        "prefer": _one_of("processes", "threads"),
        "require": _one_of("sharedmem"),
        "verbose": _whole(0, 0),
        "timeout": _above_zero(60),
    },
    "SlurmLauncher": _SUBMITIT,
    "LocalLauncher": _SUBMITIT,
    "RayLauncher": {
        "ray.init.num_cpus": _whole(1, 2, null=True),
        "ray.init.object_store_memory": Allowed(
            "a number of bytes, or null", "null", Range(1, 2**60), others=(None,)
        ),
        "ray.init.include_dashboard": _truth(null=True),
        "ray.init.log_to_driver": _truth(),
        "ray.remote.num_cpus": _above_zero(1),
        "ray.remote.num_gpus": Allowed(
            "a number, 0 or more, or null", "1", Range(0, MOST), False, (None,)
        ),
        "ray.remote.max_retries": _whole(-1, 0),
    },
    "OptunaSweeper": {
        "n_trials": _whole(1, 20),
        "n_jobs": Allowed("a whole number of trials at a time", "1", Range(1, MOST, also=(-1,))),
        "max_failure_rate": Allowed("a number, 0 to 1", "1.0", Range(0, 1), False),
    },
}


def check_values(key: str, settings: Mapping[str, Any]) -> None:
    """Refuse a value that a launcher or a search cannot take. Keys that are absent are not checked.

    Args:
        key: ``hydra.launcher`` or ``hydra.sweeper``.
        settings: The composed settings below it.

    Raises:
        RequestError: At the first such value, with what is allowed and a value that is right.

    Example:
        >>> launcher = {"_target_": "a.JoblibLauncher", "n_jobs": "two"}
        >>> check_values("hydra.launcher", launcher)
        Traceback (most recent call last):
        ...
        qat.base.errors.RequestError: hydra.launcher.n_jobs must be a whole number of runs at a \
time, or -1 for one run per core, got 'two': write hydra.launcher.n_jobs=2
    """
    kind = str(settings.get("_target_", "")).rpartition(".")[2]
    for name, allowed in _ALLOWED.get(kind, {}).items():
        is_set, value = _value(settings, name)
        if is_set and value not in allowed:
            raise RequestError(
                f"{key}.{name} must be {allowed.words}, got {shown(value)}: "
                f"write {key}.{name}={allowed.example}"
            )


def _value(settings: Any, name: str) -> tuple[bool, Any]:
    """Whether a key is there, and its value."""
    for part in name.split("."):
        if not isinstance(settings, Mapping) or part not in settings:
            return False, None
        settings = settings[part]
    return True, settings
