"""The optimizers: settings that each one reads, and the state that it keeps. Loads no torch."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OptimizerKind:
    """One kind of optimizer.

    Attributes:
        torch_name: Of its class in ``torch.optim``.
        settings: Settings that it reads beside learning rate and weight decay.
        copies: Copies of each parameter that it keeps; for ``sgd``, without momentum.
        counter_bytes: Bytes of the step counter that it keeps for each parameter.
    """

    torch_name: str
    settings: tuple[str, ...]
    copies: int
    counter_bytes: int


OPTIMIZERS: Mapping[str, OptimizerKind] = {
    "sgd": OptimizerKind("SGD", ("momentum", "nesterov"), 0, 0),
    "adam": OptimizerKind("Adam", ("betas",), 2, 4),
    "adamw": OptimizerKind("AdamW", ("betas",), 2, 4),
}
"""Name → optimizer."""
