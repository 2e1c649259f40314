"""Checks of a request that need no torch, so that a mistake is reported at once."""

import os
from importlib.util import find_spec
from pathlib import Path

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.config.checks.combinations import check_config
from qat.config.checks.names import check_names
from qat.config.modes import calibration_path
from qat.config.schema import RunConfig
from qat.run.request.identity import checkpoint_digest, finished_run_id

LOGGERS = ("none", "mlflow", "wandb")


def check_request(config: RunConfig) -> None:
    """Check values and names, and that named files can be read and folders written.

    Raises:
        ValueError: At the first mistake.
        KeyError: If a name is unknown.
    """
    check_config(config)
    check_logger(config.tracking.logger)
    checkpoint_digest(config)
    path = calibration_path(config)
    if path is not None and not Path(path).expanduser().exists():
        raise InputError(f"calibrate.path={path}: no such folder or file; give a folder or an .npz")
    check_names(config)
    if finished_run_id(config) is None:  # a finished run is shown, and nothing is written
        for name in ("runs", "cache"):
            check_writable(f"paths.{name}", Path(getattr(config.paths, name)))


def check_logger(name: str) -> None:
    """Refuse a logger that is unknown, or whose package is not installed.

    Raises:
        ValueError: In both cases, with the remedy.
    """
    one_of("tracking.logger", name, LOGGERS)
    if name != "none" and find_spec(name) is None:
        raise InputError(
            f"tracking.logger={name} is not installed: pip install 'qatlab[{name}]', "
            "or leave it at none"
        )


def check_writable(key: str, folder: Path) -> None:
    """Check that a folder can be made and written, without making it.

    Args:
        key: Key of the folder, such as ``paths.runs``.
        folder: The folder, which may be absent.

    Raises:
        ValueError: If the folder, or its nearest parent that exists, cannot be written.
    """
    nearest = next(
        path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()
    )
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        variable = f"QAT_{key.removeprefix('paths.').upper()}"
        raise InputError(f"{key}={folder}: {nearest} cannot be written; set {key} or {variable}")
