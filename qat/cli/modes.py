"""What a mode comes to."""

from qat.cli.schema import RunConfig


def trains(config: RunConfig) -> bool:
    """Whether the quantized network is trained."""
    return config.mode == "qat" or (config.mode == "mixed" and config.mixed.then == "qat")


def is_half(config: RunConfig) -> bool:
    """Whether the whole network is kept in float16, and nothing is trained."""
    scheme = config.scheme
    whole = scheme.weight.format == scheme.act.format == "fp16" and not scheme.rules
    return config.mode == "static" and whole and scheme.first_last in ("same", "fp16")


def is_static(config: RunConfig) -> bool:
    """Whether its ranges are fixed ahead, so that an integer network can come of it."""
    return config.mode in ("static", "qat", "mixed")
