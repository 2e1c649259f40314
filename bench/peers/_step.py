"""A training step of a peer's network against the float step, in turns in one process."""

import argparse
import copy
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench._report import interleaved_seconds, paired_ratio, spread, write_report
from qat.models.resnet_cifar import CifarResNet

Make = Callable[[nn.Module, Tensor], nn.Module]
"""From a float network and images to the peer's quantized network, calibrated."""
BLOCKS = 3
"""Of each stage of ResNet-20."""


def training_step(net: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], object]:
    """Forward pass, loss, backward pass, SGD; the network is as its maker left it.

    Args:
        net: In training mode, as its project does that.
        images: Of every step.
        labels: Of the images.
    """
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        optimizer.step()

    return step


def report(peer: str, package: str, variants: Mapping[str, Make]) -> None:
    """Measure by the words of the command line, and write the report.

    Args:
        peer: Name of the script.
        package: Distribution whose version is noted.
        variants: Makers by name.
    """
    words = argparse.ArgumentParser()
    words.add_argument("--batch", type=int, default=128)
    words.add_argument("--steps", type=int, default=15)
    words.add_argument("--warmup", type=int, default=3)
    words.add_argument("--out", type=Path)
    args = words.parse_args()
    images = torch.randn(args.batch, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(args.batch) % 10
    torch.manual_seed(0)
    net = CifarResNet(BLOCKS, classes=10, in_channels=3).train()
    steps = {"float": training_step(copy.deepcopy(net), images, labels)}
    for name, make in variants.items():
        steps[name] = training_step(make(copy.deepcopy(net), images), images, labels)
    seconds = interleaved_seconds(steps, args.steps, args.warmup)
    results = {"peer": peer, "version": metadata.version(package), "batch": args.batch}
    for name, taken in seconds.items():
        results[f"{name}_step_ms"] = spread([1e3 * value for value in taken])
        if name != "float":
            results[f"ratio_{name}"] = paired_ratio(taken, seconds["float"])
    write_report(f"peers.{peer}", results, args.out)
