"""The network of the run room's tests: small, and with an integer form."""

from torch import Tensor, nn


class Small(nn.Module):
    """Two convolutions, one with batch norm, and a linear layer; the last two have a bias.

    Weights: 4 * in_channels * 9, 4 * 4 * 9 and 4 * classes; activations that layers read: the
    image, 4 maps of half its sides, and 4 means.
    """

    def __init__(self, classes: int, in_channels: int, image_size: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.norm.running_mean.fill_(0.1)
        self.norm.running_var.fill_(0.25)
        self.pool = nn.MaxPool2d(2)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.norm(self.first(x)).relu())
        return self.head(self.mean(self.second(x).relu()).flatten(1))
