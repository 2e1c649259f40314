"""All of a request that can be judged before torch is loaded, so that a slip costs no wait."""

import os
from importlib.util import find_spec
from pathlib import Path

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.config.checks.combinations import check_config
from qat.config.checks.names import check_names
from qat.config.modes import calibration_path
from qat.config.schema import RunConfig
from qat.run.identity import checkpoint_digest, done_before

LOGGERS = ("none", "mlflow", "wandb")


def check_request(config: RunConfig) -> None:
    """Check values, names, and whether files and folders that are named can be used.

    Raises:
        ValueError: At the first thing that is wrong.
    """
    check_config(config)
    check_logger(config.tracking.logger)
    checkpoint_digest(config)
    path = calibration_path(config)
    if path is not None and not Path(path).expanduser().exists():
        raise InputError(f"calibrate.path={path}: no such folder or file; give a folder or an .npz")
    check_names(config)
    if done_before(config) is None:  # else it is shown, and nothing is written
        for name in ("runs", "cache"):
            check_writable(f"paths.{name}", Path(getattr(config.paths, name)))


def check_logger(name: str) -> None:
    """Refuse a logger that is unknown, or whose package is not installed.

    Raises:
        ValueError: With the cure.
    """
    one_of("tracking.logger", name, LOGGERS)
    if name != "none" and find_spec(name) is None:
        raise InputError(
            f"tracking.logger={name} is not installed: pip install 'qatlab[{name}]', "
            "or leave it at none"
        )


def check_writable(key: str, folder: Path) -> None:
    """Raise ValueError if a folder cannot be made or written; nothing is made yet."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        variable = f"QAT_{key.removeprefix('paths.').upper()}"
        raise InputError(f"{key}={folder}: {there} cannot be written; set {key} or {variable}")
