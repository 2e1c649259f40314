"""Whether a data set has the parts that a run needs."""

import zipfile
from contextlib import suppress
from pathlib import Path

from qat.base.errors import InputError
from qat.config.modes import calibration_path, is_static, trains
from qat.config.schema import DataConfig, RunConfig
from qat.data.bundle import DataBundle


def check_parts(config: RunConfig, data: DataBundle) -> None:
    """Check that a data set has the images that a run needs.

    Args:
        config: The run's configuration.
        data: Its data set.

    Raises:
        InputError: If the run needs train images and the data set has none; with the remedy.
    """
    if data.train is None:
        _check_without_train(config, data.name, data.calibration is not None)


def check_only_test(config: RunConfig) -> None:
    """The same check, before the data are read, of a folder or a file that has only a test part.

    Without train images more than one thing may be missing, such as mean and standard deviation:
    the missing part is the cause.

    Args:
        config: The run's configuration.

    Raises:
        InputError: If the run needs train images and there are none; with the remedy.
    """
    if _has_only_test(config.data):
        _check_without_train(config, config.data.name, calibration_path(config) is not None)


def _has_only_test(data: DataConfig) -> bool:
    if data.path is None:
        return False
    path = Path(data.path).expanduser()
    if data.name == "folder":
        return (path / "test").is_dir() and not (path / "train").is_dir()
    if data.name == "npz":
        with suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(path) as file:
            names = file.namelist()
            return "test_images.npy" in names and "train_images.npy" not in names
    return False


def _check_without_train(config: RunConfig, name: str, has_calibration: bool) -> None:
    where = f"data {name}" if config.data.path is None else f"data {name} ({config.data.path})"
    if config.mode == "mixed" or trains(config):
        verb = "trains" if trains(config) else "measures sensitivity"
        raise InputError(
            f"mode={config.mode} {verb} on labelled train images, and {where} has only a "
            "test part: give train images, or use mode=static or mode=dynamic"
        )
    if config.model.checkpoint is None and config.model.weights is None:
        raise InputError(
            f"{where} has only a test part, so the float network cannot be trained: set "
            "model.checkpoint=FILE, or give train images"
        )
    if is_static(config) and not has_calibration:
        raise InputError(
            f"mode={config.mode} calibrates on train images, and {where} has only a test "
            "part: set calibrate.path=DIR or FILE.npz with images to calibrate with"
        )
