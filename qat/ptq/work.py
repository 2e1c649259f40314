"""What a step gets: networks, statistics of layers, images, and where results are kept.

It imports nothing of this room, so that the files that use it form layers.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

Tracker = Callable[[str, Iterable[Any]], Iterable[Any]]
"""Shows the progress of a loop: takes a description and the items, and returns the items."""


def untracked(_: str, items: Iterable[Any]) -> Iterable[Any]:
    """Return the items; no progress is shown."""
    return items


@dataclass(frozen=True)
class ChannelStatistics:
    """Mean and standard deviation of each output channel of a layer, before its activation.

    Attributes:
        mean: ``(channels,)``: the beta of the batch norm that was folded into the layer.
        std: ``(channels,)``: the magnitude of its gamma.
    """

    mean: Tensor
    std: Tensor


@dataclass
class FloatWork:
    """A float network that float steps change in place.

    Attributes:
        net: The network, in evaluation mode.
        statistics: Layer → statistics of its output, of layers with folded batch norm.
    """

    net: nn.Module
    statistics: dict[str, ChannelStatistics] = field(default_factory=dict)


@dataclass
class Work:
    """One step's work on a quantized network.

    Attributes:
        qnet: The calibrated quantized network, which the step changes in place.
        float_net: The same network with float layers, before any step of kind ``quantized``. Its
            layers have the names of the quantized ones.
        batches: Preprocessed images, perhaps on the CPU, which may be iterated over again. They
            are the same in every run of one seed, and their sizes do not depend on memory.
        folder: Keeps the results of finished layers, for a run that was interrupted; None keeps
            nothing.
        budget_bytes: How much memory kept activations may take; more of them go to files.
        seed: Of the random draws, see :meth:`generator`.
        statistics: Layer → mean and standard deviation of its output channels, of layers with
            folded batch norm.
        track: Shows progress.
        seconds_before: Seconds that an interrupted run spent on layers that are not repeated.
    """

    qnet: nn.Module
    float_net: nn.Module
    batches: Sequence[Tensor]
    folder: Path | None = None
    budget_bytes: int = 2**30
    seed: int = 0
    statistics: Mapping[str, ChannelStatistics] = field(default_factory=dict)
    track: Tracker = untracked
    seconds_before: float = 0.0

    @property
    def images(self) -> int:
        """Number of images."""
        return sum(len(batch) for batch in self.batches)

    @property
    def device(self) -> torch.device:
        """Device of the networks."""
        return next(self.qnet.parameters()).device

    def generator(self, name: str) -> torch.Generator:
        """A generator on the CPU for the draws of one layer or block.

        Its state depends on the seed and the name alone, so that a resumed run draws the same.

        Args:
            name: Of the layer or block.
        """
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
