"""Which parts of a data set a run needs, and what it says of those that it has."""

from qat.base.errors import InputError
from qat.config.modes import is_static, trains
from qat.config.schema import RunConfig
from qat.data.bundle import DataBundle


def check_parts(config: RunConfig, data: DataBundle) -> None:
    """Hold a request against the parts that its data set has.

    Raises:
        InputError: If the run would need images or labels that are not there; with the cure.
    """
    if data.train is not None:
        return
    if config.mode == "mixed" or trains(config):
        does = "trains" if trains(config) else "measures sensitivity"
        raise InputError(
            f"mode={config.mode} {does} on labelled train images, and data {data.name} has a test "
            "part alone: give train images, or use mode=static or mode=dynamic"
        )
    if config.model.checkpoint is None and config.model.weights is None:
        raise InputError(
            f"data {data.name} has a test part alone, so the float network cannot be trained: set "
            "model.checkpoint=FILE, or give train images"
        )
    if is_static(config) and data.calibration is None:
        raise InputError(
            f"mode={config.mode} calibrates on train images, and data {data.name} has a test part "
            "alone: set calibrate.path=DIR or FILE.npz with images to calibrate with"
        )
