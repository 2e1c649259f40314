"""Preprocessing from stored pixels to the network input: resize, centre crop, normalise."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from qat.base.plurals import counted
from qat.data.errors import DataError
from qat.data.resize import fit


@dataclass(frozen=True)
class Preprocess:
    """Resize, centre crop and normalise a whole uint8 batch, on its device.

        y = (x / 255 - mean) / std, per channel,

    in float32 and in this order of operations, so that the result equals torchvision's ``ToTensor``
    and ``Normalize`` bit for bit.

    Attributes:
        mean: Per channel, of pixels scaled to 0..1.
        std: Standard deviation per channel, above 0.
        resize: Length of the shorter side, the other one in proportion; None leaves the size.
        crop: Side of the centred square that is kept; None keeps all.

    Raises:
        DataError: If a value is not finite or out of range, or the two lengths differ.

    Example:
        >>> pixels = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2)
        >>> Preprocess(mean=(0.5,), std=(0.25,))(pixels).flatten().tolist()
        [-2.0, 2.0]
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: int | None = None
    crop: int | None = None

    def __post_init__(self) -> None:
        """Check the values; each batch is checked against them later."""
        if len(self.mean) != len(self.std) or not self.mean:
            raise DataError(
                f"mean and std need one value per channel, got {list(self.mean)} and "
                f"{list(self.std)}; give data.mean and data.std the same number of values"
            )
        if not all(map(math.isfinite, self.mean)):
            raise DataError(f"mean must be finite, got {list(self.mean)}; set data.mean")
        if not all(math.isfinite(value) and value > 0 for value in self.std):
            raise DataError(
                f"std must be finite and above 0, got {list(self.std)}; a constant channel takes "
                f"1: set data.mean={_typed(self.mean, 0)} data.std={_typed(self.std, 1)}"
            )
        for name, value in (("resize", self.resize), ("crop", self.crop)):
            if value is not None and value < 1:
                raise DataError(f"{name} must be 1 or more, or null for none, got {value}")

    def __call__(self, images: Tensor) -> Tensor:
        """Resize, crop and normalise uint8 ``[B, C, H, W]`` to float32 ``[B, C, H', W']``."""
        return self.normalise(fit(images, self.resize, self.crop))

    def normalise(self, images: Tensor) -> Tensor:
        """Normalise uint8 ``[B, C, H, W]`` to float32 of the same shape.

        Raises:
            DataError: If the images have more or fewer channels than there are means.
        """
        if images.shape[1] != len(self.mean):
            values = counted(len(self.mean), "value")
            raise DataError(
                f"mean and std have {values}, the images {counted(images.shape[1], 'channel')}; "
                "set data.mean and data.std to one value per channel"
            )
        mean, std = _per_channel(tuple(self.mean), tuple(self.std), images.device)
        return images.float().div_(255).sub_(mean).div_(std)


def _typed(values: tuple[float, ...], instead: float) -> str:
    """Values as they are typed, with another one for those that are not finite or 0."""
    good = [value if math.isfinite(value) and value > 0 else instead for value in values]
    return f"[{','.join(f'{value:.4g}' for value in good)}]"


@lru_cache(maxsize=16)  # to copy them for each batch would make each batch wait for a GPU
@torch.inference_mode(False)  # the first caller's mode must not hold for later ones
def _per_channel(
    mean: tuple[float, ...], std: tuple[float, ...], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation on a device, ``(1, channels, 1, 1)``."""
    first, second = (torch.tensor(values, device=device) for values in (mean, std))
    return first.view(1, -1, 1, 1), second.view(1, -1, 1, 1)
