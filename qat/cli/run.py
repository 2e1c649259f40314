"""``qat run``: check every point of the request, then let Hydra start the jobs."""

import logging
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import hydra
from omegaconf import DictConfig

from qat.cli.compose import Point, compose_points, typed
from qat.cli.configs import ROOT_CONFIG, config_dir
from qat.cli.errors import DONE, FAILED, RequestError, one_line
from qat.cli.job import run_job
from qat.cli.prepare import Prepared, prepare
from qat.cli.report import print_table
from qat.cli.rerun import overrides_of
from qat.cli.schema import register_schema
from qat.cli.table import table_of

# Flags of Hydra's that only show something; it does that by itself.
_SHOWING = frozenset(
    [
        "--cfg",
        "-c",
        "--info",
        "-i",
        "--hydra-help",
        "--version",
        "--resolve",
        "--shell-completion",
        "-sc",
        "--package",
        "-p",
    ]
)
_WITH_VALUE = ("--config-dir", "-cd", "--from")


@dataclass(frozen=True)
class Words:
    """A command line, sorted."""

    overrides: tuple[str, ...]
    multirun: bool
    extra_dir: Path | None
    rerun_of: Path | None


def run_command(words: Sequence[str]) -> int:
    """Run what was asked for.

    Returns:
        0 if all runs are done, 1 if one failed.

    Raises:
        RequestError: If anything is wrong with the request; nothing was started then.
    """
    _quiet()
    register_schema()
    if any(word.split("=")[0] in _SHOWING for word in words):
        return _hydra(words, lambda config: None)
    sorted_words = sort_words(words)
    if sorted_words.rerun_of is not None:
        changes = sorted_words.overrides
        repeated = (*overrides_of(sorted_words.rerun_of), *changes)
        sorted_words = Words(repeated, False, sorted_words.extra_dir, None)
    points = compose_points(sorted_words.overrides, sorted_words.multirun, sorted_words.extra_dir)
    prepared = [check_point(point, len(points) > 1) for point in points]
    if not sorted_words.multirun:
        return DONE if run_job(prepared[0]) else FAILED
    return _sweep(words, prepared)


def sort_words(words: Sequence[str]) -> Words:
    """Overrides, and the flags that are ours to know.

    Raises:
        RequestError: If a flag lacks its value, or is unknown.
    """
    overrides: list[str] = []
    values: dict[str, str] = {}
    multirun, rest = False, list(words)
    while rest:
        word = rest.pop(0)
        flag, _, value = word.partition("=")
        if word in ("-m", "--multirun"):
            multirun = True
        elif flag in _WITH_VALUE:
            if not value and not rest:
                raise RequestError(f"{flag} needs a folder behind it")
            values[flag] = value or rest.pop(0)
        elif word.startswith("-"):
            raise RequestError(f"no flag {word!r}; see qat run --help")
        else:
            overrides.append(word)
    extra = values.get("--config-dir") or values.get("-cd")
    rerun = values.get("--from")
    return Words(
        tuple(overrides), multirun, Path(extra) if extra else None, Path(rerun) if rerun else None
    )


def check_point(point: Point, named: bool) -> Prepared:
    """Prepare one point; what is wrong with it becomes one line that names it.

    Raises:
        RequestError: If anything is.
    """
    try:
        for name in ("runs", "cache"):
            check_writable(f"paths.{name}", Path(getattr(point.config.paths, name)))
        return prepare(point.config, point.overrides)
    except (ValueError, KeyError, OSError, ImportError, RuntimeError) as error:
        where = f"point {point.label}: " if named else ""
        raise RequestError(where + one_line(error)) from error


def check_writable(key: str, folder: Path) -> None:
    """Raise ValueError if a folder cannot be made or written; nothing is made yet."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        variable = f"QAT_{key.removeprefix('paths.').upper()}"
        raise ValueError(f"{key}={folder}: {there} cannot be written; set {key} or {variable}")


def _sweep(words: Sequence[str], prepared: Sequence[Prepared]) -> int:
    """Start the jobs by Hydra's launcher, then show the table of their records."""
    by_content = {item.id: item for item in prepared}
    print(f"{len(prepared)} runs, {len(by_content)} different", flush=True)
    results: dict[str, bool] = {}

    def job(config: DictConfig) -> None:
        wanted = prepare(typed(config), _typed_overrides())
        if wanted.id not in results:
            results[wanted.id] = run_job(by_content.get(wanted.id, wanted))

    _hydra(words, job)
    print_table(table_of([item.folder for item in by_content.values()]))
    undone = [name for name in by_content if not results.get(name)]
    if undone:
        print(
            f"qat: {len(undone)} of {len(by_content)} runs are not done: {', '.join(undone)}",
            file=sys.stderr,
        )
    return FAILED if undone else DONE


def _hydra(words: Sequence[str], job: object) -> int:
    """Hydra's own main, on these words."""
    before = sys.argv
    sys.argv = ["qat", *words]
    decorate = hydra.main(
        version_base="1.3", config_path=str(config_dir()), config_name=ROOT_CONFIG
    )
    try:
        decorate(job)()  # type: ignore[arg-type]
    except SystemExit as error:
        return int(error.code or 0)
    finally:
        sys.argv = before
    return DONE


def _typed_overrides() -> tuple[str, ...]:
    from hydra.core.hydra_config import HydraConfig

    return tuple(HydraConfig.get().overrides.task)


def _quiet() -> None:
    """Keep the libraries' chatter off the terminal; their warnings of substance stay."""
    for name in ("lightning.pytorch", "lightning.fabric", "torch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # torch resets its own
    warnings.filterwarnings("ignore", module=r"(lightning|tensorboard|torchmetrics|torch)(\.|$)")
