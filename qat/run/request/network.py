"""Which float network a run starts from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qat.base.errors import InputError
from qat.config.schema import RunConfig
from qat.data.batches import Batches
from qat.data.bundle import DataBundle
from qat.models.build import build_model
from qat.models.checkpoint import load_checkpoint
from qat.models.memory_format import in_format
from qat.models.state_dict import CheckpointTensors
from qat.models.torchvision import without_training_heads


@dataclass(frozen=True)
class NetworkRequest:
    """A float network: its architecture, its input, and where its weights come from.

    Attributes:
        source: ``builtin``, ``torchvision``, ``timm`` or ``user``.
        name: Name of the architecture, or a user's ``package.module:factory``.
        weights: Name of published weights of torchvision or timm; None uses none.
        options: Further arguments of the architecture.
        classes: Number of outputs.
        image_shape: Channels, height and width of its input.
        seed: Seed of the initial weights.
        checkpoint: File with the weights; None if the run trains the network.
        checkpoint_key: Key of the state dict in that file; None searches the file for it.
        device: Device that the network is moved to.
        memory_format: ``auto``, ``channels_last`` or ``contiguous``.
        download: Whether published weights of timm may be downloaded.
    """

    source: str
    name: str
    weights: str | None
    options: Mapping[str, Any]
    classes: int
    image_shape: tuple[int, int, int]
    seed: int
    checkpoint: Path | None
    checkpoint_key: str | None
    device: torch.device
    memory_format: str
    download: bool = False

    def build(self) -> nn.Module:
        """Build the network with its initial weights, or with those of the checkpoint.

        Raises:
            ValueError: If the checkpoint does not fit the architecture.
            KeyError: If the name of the architecture is unknown.
        """
        net = self._initial()
        if self.checkpoint is not None:
            self._load_checkpoint(net, self.checkpoint)
        return in_format(without_training_heads(net), self.memory_format, self.device)

    def checkpoint_line(self) -> str | None:
        """A line that names the tensors taken from the checkpoint and those it left unused.

        Returns:
            The line; None if the network has no checkpoint.
        """
        if self.checkpoint is None:
            return None
        return self._load_checkpoint(self._initial(), self.checkpoint).line()

    def _initial(self) -> nn.Module:
        channels, height, _ = self.image_shape
        weights: dict[str, Any] = {} if self.weights is None else {"weights": self.weights}
        if self.download:
            weights["download"] = True
        return build_model(
            self.source,
            self.name,
            classes=self.classes,
            in_channels=channels,
            image_size=height,
            options={**self.options, **weights},
            seed=self.seed,
        )

    def _load_checkpoint(self, net: nn.Module, path: Path) -> CheckpointTensors:
        return load_checkpoint(net, path, self.checkpoint_key)


def network_request(config: RunConfig, data: DataBundle, device: torch.device) -> NetworkRequest:
    """Take the float network from a configuration.

    Args:
        config: The run's configuration.
        data: The data set, which decides the number of classes and the shape of the input.
        device: Device that the network is moved to.

    Raises:
        InputError: If the network needs square images and these are not square.
    """
    model, shape = config.model, input_shape(data)
    if shape[1] != shape[2] and model.name == "simple_cnn":
        raise InputError(
            f"simple_cnn needs square images, got {shape[1]}x{shape[2]}: set data.crop"
        )
    return NetworkRequest(
        model.source,
        model.target or model.name,
        model.weights,
        model.options,
        data.classes,
        shape,
        config.float.seed,
        None if model.checkpoint is None else Path(model.checkpoint),
        model.checkpoint_key,
        device,
        config.trainer.memory_format,
        model.download,
    )


def input_shape(data: DataBundle) -> tuple[int, int, int]:
    """Channels, height and width of a preprocessed image."""
    shape = Batches(data.test, 1, data.preprocess).batch(0)[0].shape
    return int(shape[1]), int(shape[2]), int(shape[3])
