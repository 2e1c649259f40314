"""Checks of what happens to a network after quantization: export, parity, measuring."""

from qat.base.errors import InputError
from qat.cli.modes import is_half, is_static
from qat.cli.ranges import at_least, one_of
from qat.cli.schema import MeasureConfig, ParityConfig, RunConfig

EXPORTS = ("auto", "always", "never")
RUNTIMES = ("onnxruntime", "openvino", "none")
FEWEST_REPEATS = 30


def check_deployment(config: RunConfig) -> None:
    """Refuse what cannot be exported, compared or measured.

    Raises:
        ValueError: At the first thing that is wrong.
    """
    one_of("export.onnx", config.export.onnx, EXPORTS)
    whole = config.scheme.placement == "integer"
    if config.export.onnx == "always" and is_static(config) and not (whole or is_half(config)):
        raise InputError(
            "export.onnx=always: scheme.placement=academic leaves float between the layers, which "
            f"no integer runtime computes; set scheme.placement=integer, or mode={config.mode} "
            "without export=onnx"
        )
    _check_parity(config.parity)
    _check_measure(config.measure)


def exports(config: RunConfig) -> bool:
    """Whether the run writes an ONNX file."""
    if config.export.onnx == "auto":
        return is_static(config) and (config.scheme.placement == "integer" or is_half(config))
    return config.export.onnx == "always"


def _check_parity(parity: ParityConfig) -> None:
    at_least("parity.images", parity.images, 1)
    at_least("parity.layer_images", parity.layer_images, 0)
    at_least("parity.reference_images", parity.reference_images, 0)
    for name in ("top1_agreement", "within_one_step"):
        at_least(f"parity.{name}", share := getattr(parity, name), 0)
        if share is not None and share > 1:
            raise InputError(f"parity.{name} is a share, 0 to 1, got {share}")
    at_least("parity.max_steps", parity.max_steps, 0)
    at_least("parity.layer_steps", parity.layer_steps, 0)


def _check_measure(measure: MeasureConfig) -> None:
    at_least("measure.batch_size", measure.batch_size, 1)
    at_least("measure.repeats", measure.repeats, 1)
    at_least("measure.warmup", measure.warmup, 0)
    one_of("measure.runtime", measure.runtime, RUNTIMES)
    if not measure.batches:
        raise InputError("measure.batches is empty: give batch sizes, such as [1]")
    for name in ("batches", "threads"):
        for value in getattr(measure, name):
            at_least(f"measure.{name}", value, 1)
    at_least("measure.runtime_repeats", measure.runtime_repeats, FEWEST_REPEATS)
    at_least("measure.blocks", measure.blocks, 2)
    if measure.blocks > measure.runtime_repeats:
        raise InputError(
            f"measure.blocks={measure.blocks} is above measure.runtime_repeats="
            f"{measure.runtime_repeats}: each turn times one inference or more"
        )
