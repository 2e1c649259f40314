"""State that optimizers keep for each parameter. This module loads no torch."""

from collections.abc import Mapping

from qat.core.optimizers import OPTIMIZERS

_STATES = {name: (kind.copies, kind.counter_bytes) for name, kind in OPTIMIZERS.items()}
OPTIMIZER_STATES: Mapping[str, tuple[int, int]] = {
    "sgd": _STATES["sgd"],
    "sgd_momentum": (1, 0),
    **_STATES,
}
"""Name → number of copies of each parameter, and bytes of its step counter."""
