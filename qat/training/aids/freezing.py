r"""Iterative freezing of oscillating weights.

Nagel, Fournarakis, Bondarenko & Blankevoort 2022, "Overcoming Oscillations in Quantization-Aware
Training", ICML 2022, arXiv:2203.11086, section 4.1 (``o`` and ``f``) and 4.3 with algorithm 1, for
each weight and step t:

    o_t = 1 if its code changed, and in the other direction than at its last change
    f_t = m o_t + (1 - m) f_(t-1)               moving average: how often it oscillates
    e_t = m q_t + (1 - m) e_(t-1)               moving average of its code
    frozen to round(e_t) from the step in which f_t > threshold(t) on

The threshold falls by cosine from a higher to a lower value. A frozen weight keeps its code: its
latent weight is set to that code's value after each optimizer step.

Differs from the paper: the first code starts the average e. Left out are weights with a codebook or
with thresholds of the method's own, and weights with a batch norm folded in (placement
``integer``), whose codes change with the norm too.

Cites: nagel2022oscillations.
"""

from typing import Any

import lightning as L
import torch
from torch import Tensor

from qat.layers.walk import twins
from qat.quantizers.base import Quantizer
from qat.training.aids.penalty import cosine, has_plain_bins

PARTS = ("code", "direction", "frequency", "mean", "frozen")


class FreezeOscillating(L.Callback):
    """Freeze weights that oscillate between two codes.

    Args:
        first: Threshold of the frequency at the first step, above 0 and at most 1.
        last: Threshold at the last step.
        momentum: ``m`` of the moving averages.
    """

    def __init__(self, first: float = 0.1, last: float = 0.01, momentum: float = 0.01) -> None:
        self.first, self.last, self.momentum = first, last, momentum
        self.state: dict[str, Tensor] = {}
        self.seen_step = 0

    def state_dict(self) -> dict[str, Any]:
        """Codes, frequencies and frozen weights, for the checkpoint."""
        return {"state": self.state, "seen_step": self.seen_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore them from a checkpoint."""
        self.state, self.seen_step = state_dict["state"], state_dict["seen_step"]

    @torch.no_grad()
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start from the codes of the network, unless a checkpoint brought a state.

        Args:
            trainer: Not used.
            pl_module: With the network.
        """
        for name, weight, quantizer in _weights(pl_module):
            if f"{name}/code" not in self.state:
                self._begin(name, quantizer.encode(weight).float())
            for part in PARTS:
                key = f"{name}/{part}"
                self.state[key] = self.state[key].to(weight.device)

    @torch.no_grad()
    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, *args: Any
    ) -> None:
        """Follow the codes after an optimizer step, and hold the frozen weights.

        Args:
            trainer: Its optimizer step is read.
            pl_module: With the network.
            args: Not used.
        """
        if trainer.global_step == self.seen_step:  # gradients are accumulated
            return
        self.seen_step = trainer.global_step
        steps = int(trainer.estimated_stepping_batches)
        threshold = cosine(self.first, self.last, trainer.global_step - 1, steps)
        for name, weight, quantizer in _weights(pl_module):
            self.follow(name, quantizer.encode(weight).float(), threshold)
            frozen, mean = self.state[f"{name}/frozen"], self.state[f"{name}/mean"]
            held = quantizer.decode(torch.round(mean).to(torch.int32)).to(weight.dtype)
            weight.copy_(torch.where(frozen, held, weight))

    def follow(self, name: str, codes: Tensor, threshold: float) -> None:
        """One step of algorithm 1 for the weights of a layer.

        Args:
            name: Of the layer.
            codes: Codes after the step, as floats.
            threshold: Weights with a higher frequency are frozen.
        """
        own = {part: self.state[f"{name}/{part}"] for part in PARTS}
        change = codes - own["code"]
        turned = (change != 0) & (change.sign() == -own["direction"])
        frequency = own["frequency"].lerp(turned.to(codes.dtype), self.momentum)
        mean = torch.where(own["frozen"], own["mean"], own["mean"].lerp(codes, self.momentum))
        values = {
            "code": codes,
            "direction": torch.where(change != 0, change.sign(), own["direction"]),
            "frequency": frequency,
            "mean": mean,
            "frozen": own["frozen"] | (frequency > threshold),
        }
        self.state |= {f"{name}/{part}": value for part, value in values.items()}

    def frozen_share(self) -> float:
        """Share of all followed weights that are frozen, 0 to 1."""
        flags = [value for key, value in self.state.items() if key.endswith("/frozen")]
        total = sum(flag.numel() for flag in flags)
        return sum(int(flag.sum()) for flag in flags) / total if total else 0.0

    def _begin(self, name: str, codes: Tensor) -> None:
        zeros = torch.zeros_like(codes)
        flags = torch.zeros_like(codes, dtype=torch.bool)
        values = (codes, zeros, zeros, codes, flags)
        self.state |= {f"{name}/{part}": v.clone() for part, v in zip(PARTS, values, strict=True)}


def _weights(module: L.LightningModule) -> list[tuple[str, Tensor, Quantizer]]:
    return [
        (name, twin.weight, twin.weight_quantizer)
        for name, twin in twins(module.net)  # type: ignore[arg-type]
        if twin.norm is None and has_plain_bins(twin.weight_quantizer)
    ]
