"""What a mode comes to."""

from qat.config.schema import ModelConfig, RunConfig
from qat.records.run_facts import target_word


def trains(config: RunConfig) -> bool:
    """Whether the quantized network is trained."""
    return config.mode == "qat" or (config.mode == "mixed" and config.mixed.then == "qat")


def is_half(config: RunConfig) -> bool:
    """Whether the whole network is kept in float16, and nothing is trained."""
    scheme = config.scheme
    whole = scheme.weight.format == scheme.act.format == "fp16" and not scheme.rules
    return config.mode == "static" and whole and scheme.first_last in ("same", "fp16")


def calibration_path(config: RunConfig) -> str | None:
    """Where images of their own to calibrate with are; None for modes that fix no range ahead."""
    return config.calibrate.path if is_static(config) else None


def is_static(config: RunConfig) -> bool:
    """Whether its ranges are fixed ahead, so that an integer network can come of it."""
    return config.mode in ("static", "qat", "mixed")


def model_name(model: ModelConfig) -> str:
    """The network's name in records and tables; of one of the user's own, its factory's."""
    is_unnamed = model.name == "user" and model.target is not None
    return target_word(model.target) if is_unnamed else model.name
