"""What optimizers keep for each parameter. Reading it loads no torch."""

from collections.abc import Mapping

OPTIMIZERS: Mapping[str, tuple[int, int]] = {
    "sgd": (0, 0),
    "sgd_momentum": (1, 0),
    "adam": (2, 4),
    "adamw": (2, 4),
}
"""Name → copies of each parameter, bytes of the step counter of each."""
