"""State that optimizers keep for each parameter. This module loads no torch."""

from collections.abc import Mapping

OPTIMIZERS: Mapping[str, tuple[int, int]] = {
    "sgd": (0, 0),
    "sgd_momentum": (1, 0),
    "adam": (2, 4),
    "adamw": (2, 4),
}
"""Name → number of copies of each parameter, and bytes of its step counter."""
