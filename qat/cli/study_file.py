"""A study's own file (``conf/experiment/NAME.yaml``, section ``study``), read without Hydra."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from qat.base.errors import UnknownNameError
from qat.cli.configs import default_path, files
from qat.cli.errors import RequestError, nearest
from qat.cli.run_dirs import run_dir
from qat.cli.table import TableRequest
from qat.records.studies import runs_of, scales_of

EXPERIMENTS = "experiment"


@dataclass(frozen=True)
class StudyFile:
    """What a study's file says.

    Attributes:
        name: Of the study.
        file: Name of its file, as ``experiment=FILE`` takes it.
        question: What it asks.
        table: How its table is laid out (see :mod:`qat.tables.layout`).
        scales: Names of its scales.
    """

    name: str
    file: str
    question: str = ""
    table: dict[str, Any] = field(default_factory=dict)
    scales: tuple[str, ...] = ()


def study_names(extra_dir: Path | None = None) -> list[str]:
    """Names of all studies, sorted."""
    return [name for name, path in files(EXPERIMENTS, extra_dir).items() if _section(path)]


def read_study(name: str, extra_dir: Path | None = None) -> StudyFile:
    """A study by name.

    Raises:
        RequestError: If there is none of that name, with the nearest.
    """
    for file, path in files(EXPERIMENTS, extra_dir).items():
        section = _section(path)
        if section and name in (file, section.get("name")):
            return StudyFile(
                name=str(section.get("name") or file),
                file=file,
                question=str(section.get("question", "")),
                table=dict(section.get("table") or {}),
                scales=tuple(section.get("scales") or ()),
            )
    names = study_names(extra_dir)
    known = ", ".join(names) or "none yet"
    raise RequestError(
        f"no study {name!r}, and no folder of that name; studies are {known}{nearest(name, names)}"
    )


def study_runs(study: StudyFile, runs: Path, scale: str | None) -> tuple[str, list[Path]]:
    """The scale, the one last asked for by default, and the run folders of a study at it.

    Raises:
        RequestError: If it has no runs there.
    """
    there = scales_of(runs, study.name)
    if scale is None and there:
        scale = there[0]
    if scale not in there:
        at = f" at scale={scale}" if scale else ""
        hint = f"; there are some at {', '.join(there)}" if there else ""
        raise RequestError(
            f"study {study.name} has no runs{at} under {runs}{hint}: "
            f"qat run -m experiment={study.file}" + (f" scale={scale}" if scale else "")
        )
    return scale, runs_of(runs, study.name, scale)


def table_request(
    what: Sequence[str],
    scale: str | None = None,
    extra_dir: Path | None = None,
    layout: str | None = None,
    strict: bool = False,
) -> TableRequest:
    """What ``qat table`` is asked for.

    Args:
        what: One study's name, or folders; all runs if empty.
        scale: Of the study.
        extra_dir: Folder of the user's YAML.
        layout: Name of a layout; the study's own by default.
        strict: Refuse rows that differ in protocol.

    Raises:
        RequestError: If a name is neither a folder nor a study with runs.
    """
    runs = default_path("runs")
    given = {"layout": layout} if layout else {}
    studies = [word for word in what if not Path(word).exists() and word in study_names(extra_dir)]
    if not studies:
        folders = [_folder(word, extra_dir) for word in what]
        return TableRequest(folders or [runs], given, None, strict)
    if len(what) > 1:
        raise RequestError(f"{studies[0]} is a study; give one study, or runs and folders")
    study = read_study(studies[0], extra_dir)
    folders = study_runs(study, runs, scale)[1]
    return TableRequest(folders, given or study.table, study.name, strict)


def _folder(word: str, extra_dir: Path | None) -> Path:
    """A folder of runs, or the run that is meant."""
    path = Path(word).expanduser()
    if path.exists():
        return path
    try:
        return run_dir(word)
    except UnknownNameError as error:
        names = study_names(extra_dir)
        known = ", ".join(names) or "none yet"
        raise RequestError(
            f"no study {word!r}; studies are {known}{nearest(word, names)}; and {error}"
        ) from error


def _section(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise RequestError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    found = content.get("study") if isinstance(content, dict) else None
    return found if isinstance(found, dict) else {}
