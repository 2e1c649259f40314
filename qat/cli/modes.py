"""What a mode comes to."""

from qat.cli.schema import RunConfig


def trains(config: RunConfig) -> bool:
    """Whether the quantized network is trained."""
    return config.mode == "qat" or (config.mode == "mixed" and config.mixed.then == "qat")


def is_static(config: RunConfig) -> bool:
    """Whether its ranges are fixed ahead, so that an integer network can come of it."""
    return config.mode in ("static", "qat", "mixed")
