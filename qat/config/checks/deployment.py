"""Checks of the settings of export, parity and measurement."""

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.config.modes import is_half, is_static
from qat.config.schema import MeasureConfig, RunConfig
from qat.export.runtimes.registry import RUNTIMES

EXPORTS = ("auto", "always", "never")


def check_deployment(config: RunConfig) -> None:
    """Refuse settings with which a network cannot be exported or measured.

    Raises:
        ValueError: At the first wrong value or combination.
    """
    one_of("export.onnx", config.export.onnx, EXPORTS)
    whole = config.scheme.placement == "integer"
    if config.export.onnx == "always" and is_static(config) and not (whole or is_half(config)):
        raise InputError(
            "export.onnx=always: scheme.placement=academic has float tensors between the layers, "
            "which no integer runtime computes; set scheme.placement=integer or export=default"
        )
    _check_measure(config.measure)


def exports(config: RunConfig) -> bool:
    """Whether the run writes an ONNX file."""
    if config.export.onnx == "auto":
        return is_static(config) and (config.scheme.placement == "integer" or is_half(config))
    return config.export.onnx == "always"


def _check_measure(measure: MeasureConfig) -> None:
    one_of("measure.runtime", measure.runtime, [*RUNTIMES, "none"])
    if not measure.batches:
        raise InputError("measure.batches is empty: give batch sizes, such as [1]")
    if measure.blocks > measure.runtime_repeats:
        raise InputError(
            f"measure.blocks={measure.blocks} is above measure.runtime_repeats="
            f"{measure.runtime_repeats}, but each block times at least one inference: set "
            f"measure.blocks={measure.runtime_repeats} or fewer"
        )
