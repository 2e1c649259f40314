"""A small network for first experiments: three 3x3 convolutions and two linear layers."""

from torch import Tensor, nn

from qat.base.errors import InputError

WIDTHS = (32, 64, 128)
HIDDEN = 512


class SimpleCNN(nn.Module):
    """Conv(32), Conv(64), Conv(128), each with [BN], ReLU and 2x2 max-pool, then two Linear layers.

    Args:
        classes: Number of logits.
        in_channels: Channels of an image.
        image_size: Height and width of an image; each of three pools halves it.
        batch_norm: Batch norm (BN) after each convolution, which then has no bias.

    Raises:
        InputError: If the image is smaller than 8 pixels, or ``batch_norm`` is not a boolean.

    Example:
        >>> import torch
        >>> SimpleCNN(classes=10, in_channels=1, image_size=28)(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self, classes: int, in_channels: int, image_size: int, batch_norm: bool = True
    ) -> None:
        super().__init__()
        if not isinstance(batch_norm, bool):  # it comes from a configuration
            raise InputError(f"batch_norm of simple_cnn must be true or false, got {batch_norm!r}")
        side = image_size // 2 ** len(WIDTHS)
        if side < 1:
            raise InputError(f"simple_cnn needs images of 8 pixels or more, got {image_size}")
        blocks: list[nn.Module] = []
        for fan_in, width in zip((in_channels, *WIDTHS), WIDTHS, strict=False):
            blocks.append(_block(fan_in, width, batch_norm))
        self.features = nn.Sequential(*blocks)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(WIDTHS[-1] * side * side, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """``(batch, channels, size, size)`` → logits ``(batch, classes)``."""
        return self.classifier(self.features(images))  # type: ignore[no-any-return]


def _block(fan_in: int, width: int, batch_norm: bool) -> nn.Sequential:
    conv = nn.Conv2d(fan_in, width, kernel_size=3, padding=1, bias=not batch_norm)
    norm = [nn.BatchNorm2d(width)] if batch_norm else []
    return nn.Sequential(conv, *norm, nn.ReLU(), nn.MaxPool2d(2))
