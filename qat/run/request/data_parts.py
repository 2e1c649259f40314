"""Whether a data set has the parts that a run needs."""

from qat.base.errors import InputError
from qat.config.modes import is_static, trains
from qat.config.schema import RunConfig
from qat.data.bundle import DataBundle


def check_parts(config: RunConfig, data: DataBundle) -> None:
    """Check that a data set has the images that a run needs.

    Args:
        config: The run's configuration.
        data: Its data set.

    Raises:
        InputError: If the run needs train images and the data set has none; with the remedy.
    """
    if data.train is not None:
        return
    if config.mode == "mixed" or trains(config):
        verb = "trains" if trains(config) else "measures sensitivity"
        raise InputError(
            f"mode={config.mode} {verb} on labelled train images, and data {data.name} has only a "
            "test part: give train images, or use mode=static or mode=dynamic"
        )
    if config.model.checkpoint is None and config.model.weights is None:
        raise InputError(
            f"data {data.name} has only a test part, so the float network cannot be trained: set "
            "model.checkpoint=FILE, or give train images"
        )
    if is_static(config) and data.calibration is None:
        raise InputError(
            f"mode={config.mode} calibrates on train images, and data {data.name} has only a test "
            "part: set calibrate.path=DIR or FILE.npz with images to calibrate with"
        )
