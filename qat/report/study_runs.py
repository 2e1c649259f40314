"""The runs of a requested table: those of a study, of some folders, or all."""

from collections.abc import Sequence
from pathlib import Path

from qat.base.errors import RequestError, UnknownNameError
from qat.base.synonyms import nearest
from qat.config.run_dirs import run_dir
from qat.config.study_file import StudyFile, read_study, study_names
from qat.config.yaml_files import config_dir_flag, default_path
from qat.records.studies import runs_of, scales_of
from qat.report.requested_table import TableRequest


def study_runs(
    study: StudyFile, runs: Path, scale: str | None, extra_dir: Path | None = None
) -> tuple[str, list[Path]]:
    """The run folders of a study at one scale.

    Args:
        study: The study.
        runs: The folder of runs.
        scale: The scale; None: the scale that ran last.
        extra_dir: Folder of the user's YAML files, for messages.

    Returns:
        The scale and the folders.

    Raises:
        RequestError: If the study has no runs at this scale.
    """
    scales = scales_of(runs, study.name)
    if scale is None and scales:
        scale = scales[0]
    if scale not in scales:
        flag = config_dir_flag(extra_dir)
        at = f" at scale={scale}" if scale else ""
        hint = f"; it has runs at scale={', '.join(scales)}" if scales else ""
        raise RequestError(
            f"study {study.name} has no runs{at} under {runs}{hint}: "
            f"qat run -m{flag} experiment={study.file}" + (f" scale={scale}" if scale else "")
        )
    return scale, runs_of(runs, study.name, scale)


def table_request(
    what: Sequence[str],
    scale: str | None = None,
    extra_dir: Path | None = None,
    layout: str | None = None,
    strict: bool = False,
) -> TableRequest:
    """The request of a ``qat table`` command.

    Args:
        what: Name of one study, or runs and folders; all runs if empty.
        scale: Scale of the study; None: the scale that ran last.
        extra_dir: Folder of the user's YAML files.
        layout: Name of a layout; None: the study's own.
        strict: Refuse rows whose protocols differ.

    Raises:
        RequestError: If a name is neither a folder nor a study with runs, or if none of the study's
            runs has started.
    """
    runs = default_path("runs")
    table = {"layout": layout} if layout else {}
    studies = [word for word in what if not Path(word).exists() and word in study_names(extra_dir)]
    if not studies:
        folders = [_folder(word, extra_dir) for word in what]
        return TableRequest(folders or [runs], table, None, strict)
    if len(what) > 1:
        raise RequestError(f"{studies[0]} is a study; give one study, or runs and folders")
    study = read_study(studies[0], extra_dir)
    scale, folders = study_runs(study, runs, scale, extra_dir)
    present = [folder for folder in folders if folder.exists()]
    if not present:
        flag = config_dir_flag(extra_dir)
        command = f"qat run -m{flag} experiment={study.file} scale={scale}"
        raise RequestError(f"no run of study {study.name} has started at scale={scale}: {command}")
    absent = len(folders) - len(present)
    return TableRequest(present, table or study.table, study.name, strict, absent)


def _folder(word: str, extra_dir: Path | None) -> Path:
    """A folder of runs, or the folder of one run by its id or name."""
    path = Path(word).expanduser()
    if path.exists():
        return path
    try:
        return run_dir(word)
    except UnknownNameError as error:
        names = study_names(extra_dir)
        studies = ", ".join(names) or "none yet"
        raise RequestError(
            f"no study {word!r}; studies are {studies}{nearest(word, names)}; and {error}"
        ) from error
