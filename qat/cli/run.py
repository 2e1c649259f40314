"""``qat run``: check every point of the request, then let Hydra start the jobs."""

import logging
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from omegaconf import DictConfig

from qat.cli.compose import Point, check_composes, compose_points, typed
from qat.cli.configs import ROOT_CONFIG, config_dir
from qat.cli.errors import DONE, FAILED, RequestError, one_line
from qat.cli.job import run_job
from qat.cli.prepare import Prepared, prepare
from qat.cli.report import print_table
from qat.cli.rerun import check_targets, overrides_of
from qat.cli.schema import register_schema
from qat.cli.signals import ended_alike
from qat.cli.table import table_of
from qat.records.folder import RunFolder

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
# Id → a checked point of the sweep in hand, None once it has run; empty in a launcher's processes.
_at_hand: dict[str, Prepared | None] = {}
_COMPLETION = ("install=", "uninstall=", "query=")
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
        return _hydra(checked_for_hydra(words), lambda config: None)
    sorted_words = sort_words(words)
    points = _points(sorted_words)
    prepared = [check_point(point, len(points) > 1) for point in points]
    with ended_alike():
        if not sorted_words.multirun:
            return DONE if run_job(prepared[0]) else FAILED
        return _sweep(words, prepared)


def checked_for_hydra(words: Sequence[str]) -> list[str]:
    """Look for what is wrong in words for Hydra alone, whose own complaint has many lines.

    Returns:
        The words, overrides first: between flags Hydra would not know them.

    Raises:
        RequestError: If a flag, its value or an override is wrong.
    """
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise RequestError(f"{message}; see qat run --help")

    parser.error = refuse  # type: ignore[method-assign]
    asked = parser.parse_intermixed_args(list(words))
    if asked.shell_completion:
        if not any(word.startswith(_COMPLETION) for word in asked.overrides):
            raise RequestError(f"-sc needs one of {', '.join(_COMPLETION)} and a shell behind it")
    elif (asked.cfg or asked.info) and not asked.multirun:
        check_composes(asked.overrides, Path(asked.config_dir) if asked.config_dir else None)
    return [*asked.overrides, *(word for word in words if word not in asked.overrides)]


def _points(words: Words) -> list[Point]:
    """The composed points of a request, or of a run that is to be repeated."""
    if words.rerun_of is None:
        return compose_points(words.overrides, words.multirun, words.extra_dir)
    if words.multirun:
        raise RequestError("--from repeats one run, -m sweeps: give one of them")
    repeated = (*overrides_of(words.rerun_of), *words.overrides)
    points = compose_points(repeated, False, words.extra_dir)
    check_targets(points[0].config, words.overrides, words.extra_dir)
    return points


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
    _at_hand.update(by_content)
    try:
        _hydra(words, run_point)
    finally:
        _at_hand.clear()
    # A launcher may have run the jobs in other processes: their records say how they ended.
    folders = [item.folder for item in by_content.values()]
    print_table(table_of(folders))
    undone = [folder.name for folder in folders if RunFolder(folder).state() != "done"]
    if undone:
        print(
            f"qat: {len(undone)} of {len(by_content)} runs are not done: {', '.join(undone)}",
            file=sys.stderr,
        )
    return FAILED if undone else DONE


def run_point(config: DictConfig) -> None:
    """One job of a sweep; points of equal content are run once."""
    wanted = prepare(typed(config), _typed_overrides())
    started = _at_hand.get(wanted.id, wanted)
    if started is not None:
        _at_hand[wanted.id] = None
        run_job(started)


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
