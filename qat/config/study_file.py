"""The file of a study (``conf/experiment/NAME.yaml``, section ``study``), read without Hydra."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from qat.base.errors import RequestError
from qat.base.synonyms import nearest
from qat.config.yaml_files import files

EXPERIMENTS = "experiment"


@dataclass(frozen=True)
class StudyFile:
    """The contents of a study's file.

    Attributes:
        name: Name of the study.
        file: Name of its file, as in ``experiment=FILE``.
        question: The question that the study answers.
        table: Layout of its table (see :mod:`qat.tables.layout`).
        scales: Names of its scales.
    """

    name: str
    file: str
    question: str = ""
    table: dict[str, Any] = field(default_factory=dict)
    scales: tuple[str, ...] = ()


def study_names(extra_dir: Path | None = None) -> list[str]:
    """Names of all files with a study, sorted.

    Args:
        extra_dir: Folder of the user's YAML; None if there is none.

    Raises:
        RequestError: If a file cannot be read.
    """
    return [name for name, path in files(EXPERIMENTS, extra_dir).items() if _section(path)]


def read_study(name: str, extra_dir: Path | None = None) -> StudyFile:
    """A study by the name of its file, or by its own name.

    Args:
        name: The name.
        extra_dir: Folder of the user's YAML; None if there is none.

    Raises:
        RequestError: If there is no such study, or its file cannot be read.

    Example:
        >>> read_study("bitwidth").file
        'bitwidth'
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


def _section(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise RequestError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    section = content.get("study") if isinstance(content, dict) else None
    return section if isinstance(section, dict) else {}
