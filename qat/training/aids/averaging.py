"""Exponential moving average of a network's weights during a training.

    a_t = d_t a_(t-1) + (1 - d_t) w_t,   d_t = min(decay, (1 + t) / (10 + t))

after every optimizer step t. Polyak & Juditsky 1992 average weights; the warm-up of the decay is
that of TensorFlow's ExponentialMovingAverage. All tensors of floats in the network's state are
averaged: weights, biases, statistics of batch norms, and steps and scales of quantizers; whole
numbers and flags are copied. Where the average is used, zero points are rounded, and scales that
must be powers of two become such. The averaged network is what is validated and kept. The average
is part of the checkpoint, so that a training that is killed continues to the same end.

Lightning's own callback averages parameters and keeps its state in the strategy's checkpoint, which
does not fit the order in which checkpoints are written here.

Cites: polyak1992averaging.
"""

from typing import Any

import lightning as L
import torch
from torch import Tensor, nn

from qat.quantizers.minmax import MinMaxQuantizer

AVERAGE = "average"


class AverageWeights(L.Callback):
    """Average the weights of ``module.net``, validate with them and keep them.

    Args:
        decay: Largest ``d``, above 0 and below 1.
    """

    def __init__(self, decay: float) -> None:
        self.decay, self.steps, self.seen_step = decay, 0, 0
        self.average: dict[str, Tensor] = {}
        self._training: dict[str, Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        """The average, for the checkpoint."""
        return {AVERAGE: self.average, "steps": self.steps, "seen_step": self.seen_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the average of a checkpoint."""
        self.average, self.steps = state_dict[AVERAGE], state_dict["steps"]
        self.seen_step = state_dict["seen_step"]

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start from the network's state, unless a checkpoint brought an average.

        Args:
            trainer: Not used.
            pl_module: With the network.
        """
        state = _state(pl_module)
        if not self.average:
            self.average = {name: value.detach().clone() for name, value in state.items()}
        self.average = {name: value.to(state[name].device) for name, value in self.average.items()}

    @torch.no_grad()
    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, *args: Any
    ) -> None:
        """Add the state after an optimizer step.

        Args:
            trainer: Its optimizer step is read.
            pl_module: With the network.
            args: Not used.
        """
        if trainer.global_step == self.seen_step:  # gradients are accumulated
            return
        self.seen_step, self.steps = trainer.global_step, self.steps + 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in _state(pl_module).items():
            if value.is_floating_point():
                self.average[name].lerp_(value.detach(), 1 - decay)
            else:
                self.average[name].copy_(value)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Put the average into the network.

        Args:
            trainer: Not used.
            pl_module: With the network.
        """
        if self.average:
            state = _state(pl_module)
            self._training = {name: value.detach().clone() for name, value in state.items()}
            _put(pl_module, self.average)
            settle_grids(pl_module)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Put the weights of the training back.

        Args:
            trainer: Not used.
            pl_module: With the network.
        """
        if self._training:
            _put(pl_module, self._training)
            self._training = {}


def averaged_state(checkpoint: dict[str, Any]) -> dict[str, Tensor]:
    """The averaged state of the network in a checkpoint; empty without averaging."""
    callbacks = checkpoint.get("callbacks", {})
    own = callbacks.get(AverageWeights.__qualname__, {})
    average: dict[str, Tensor] = own.get(AVERAGE, {})
    return average


def settle_grids(net: nn.Module) -> None:
    """Give averaged zero points and scales values that they can have.

    Args:
        net: With an averaged state; changed in place.
    """
    for module in net.modules():
        if isinstance(module, MinMaxQuantizer):
            module.settle()


def _state(module: L.LightningModule) -> dict[str, Tensor]:
    net: nn.Module = module.net  # type: ignore[assignment]
    return dict(net.state_dict())


@torch.no_grad()
def _put(module: L.LightningModule, values: dict[str, Tensor]) -> None:
    for name, value in _state(module).items():
        value.copy_(values[name])
