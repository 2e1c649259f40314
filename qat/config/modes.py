"""What a run does in its mode: train, calibrate, keep float16."""

from qat.config.schema import ModelConfig, RunConfig
from qat.records.run_facts import target_word


def trains(config: RunConfig) -> bool:
    """Whether the quantized network is trained."""
    return config.mode == "qat" or (config.mode == "mixed" and config.mixed.then == "qat")


def is_half(config: RunConfig) -> bool:
    """Whether the whole network is in float16, and nothing is trained."""
    scheme = config.scheme
    if scheme.plan is not None:
        return False
    whole = scheme.weight.format == scheme.act.format == "fp16" and not scheme.rules
    return config.mode == "static" and whole and scheme.first_last in ("same", "fp16")


def calibration_path(config: RunConfig) -> str | None:
    """Path of the user's calibration images; None if there are none or nothing is calibrated."""
    return config.calibrate.path if is_static(config) else None


def is_static(config: RunConfig) -> bool:
    """Whether ranges are fixed before inference, which an integer network needs."""
    return config.mode in ("static", "qat", "mixed")


def brings_timm_weights(config: RunConfig) -> bool:
    """Whether the network is one of timm's with weights that the run does not train.

    With such weights comes a way to prepare images.
    """
    model = config.model
    return model.source == "timm" and not (model.weights is None and model.checkpoint is None)


def model_name(model: ModelConfig) -> str:
    """The network's name in records and tables; for a network of the user's, its factory's name.

    Example:
        >>> model_name(ModelConfig(source="user", name="user", target="nets.small:make_net"))
        'make_net'
    """
    is_unnamed = model.name == "user" and model.target is not None
    return target_word(model.target) if is_unnamed else model.name
