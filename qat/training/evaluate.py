"""Accuracy, loss and logits of a network over labelled images."""

from collections.abc import Iterable, Iterator
from typing import NoReturn

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qat.base.errors import InputError
from qat.base.progress import Track
from qat.core.accuracy import classes_before
from qat.core.checks import Pending, is_immediate
from qat.core.evaluation_mode import evaluating


def evaluate(
    net: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    device: torch.device | str | None = None,
    track: Track | None = None,
) -> dict[str, float]:
    """Accuracy and loss over labelled batches, in evaluation mode.

    An image counts for top-k if fewer than ``k`` classes rank before its own. Among equal logits,
    which are common in a quantized network, the lower class ranks first. Sums are in double
    precision, so that the result does not depend on the batch size.

    Args:
        net: Images to logits ``(batch, classes)``; each module keeps its mode.
        batches: Pairs of images and labels.
        device: To compute on; the network is moved there. None for the device of the network.
        track: Shows progress; None shows none.

    Returns:
        ``top1`` and ``loss`` (mean cross entropy, nats); ``top5`` if there are more than five
        classes. Accuracies are fractions.

    Raises:
        ValueError: If there is no batch, or images or logits are NaN or infinite; the message names
            the first such batch.

    Example:
        >>> logits = torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]])
        >>> result = evaluate(nn.Flatten(), [(logits, torch.tensor([0, 1, 1]))])
        >>> round(result["top1"], 3), round(result["loss"], 3)
        (0.667, 0.558)
    """
    images = classes = 0
    sums: Tensor | None = None  # right within 1, right within 5, loss: read once, at the end
    for logits, labels in _logits(net, batches, device, track):
        images, classes = images + len(labels), logits.shape[1]
        sums = _sums(logits, labels) if sums is None else sums + _sums(logits, labels)
    assert sums is not None
    right1, right5, loss = sums.tolist()
    result = {"top1": right1 / images, "loss": loss / images}
    return {**result, "top5": right5 / images} if classes > 5 else result


def predict_logits(
    net: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    device: torch.device | str | None = None,
    track: Track | None = None,
) -> Tensor:
    """Logits ``(images, classes)`` on the CPU, in the order of the batches.

    Args:
        net: Images to logits ``(batch, classes)``; each module keeps its mode.
        batches: Pairs of images and labels.
        device: To compute on; the network is moved there. None for the device of the network.
        track: Shows progress; None shows none.

    Raises:
        ValueError: If there is no batch, or images or logits are NaN or infinite.
    """
    return torch.cat([logits for logits, _ in _logits(net, batches, device, track)]).cpu()


def _sums(logits: Tensor, labels: Tensor) -> Tensor:
    """Images that are right within 1 and within 5 classes, and sum of the loss, in float64."""
    before = classes_before(logits, labels)
    loss = F.cross_entropy(logits.double(), labels, reduction="sum")
    return torch.stack([(before < 1).sum().double(), (before < 5).sum().double(), loss])


def _logits(
    net: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    device: torch.device | str | None,
    track: Track | None,
) -> Iterator[tuple[Tensor, Tensor]]:
    if device is not None:
        net.to(device)
    first = next(net.parameters(), None)
    target = first.device if first is not None else torch.device(device or "cpu")
    index, finite, pending = -1, _FiniteBatches(), Pending()
    with evaluating(net):
        for index, (images, labels) in enumerate(track(batches) if track else batches):
            images, labels = images.to(target), labels.to(target)
            # Not around the yield: the mode would also apply to the code that consumes the logits.
            with torch.inference_mode(), pending.collecting():
                logits = net(images)
                finite.add(index, logits, images)
            yield logits, labels
    finite.check()
    pending.read()
    if index < 0:
        raise InputError("there is nothing to evaluate, got no batches: give one image or more")


class _FiniteBatches:
    """Refuses NaN and infinity: on a CPU in each batch, on a GPU in all batches at the end."""

    def __init__(self) -> None:
        self._noted: list[Tensor] = []  # of each batch: are logits finite, are images finite

    def add(self, index: int, logits: Tensor, images: Tensor) -> None:
        """Check a batch, or note on the GPU whether it is finite."""
        finite = logits.isfinite().all()
        if not is_immediate(logits.device):
            self._noted.append(torch.stack([finite, images.isfinite().all()]))
        elif not bool(finite):
            _refuse(index, bool(images.isfinite().all()))

    def check(self) -> None:
        """Read what was noted; the message names the first batch that is not finite."""
        if not self._noted:
            return
        for index, (logits, images) in enumerate(torch.stack(self._noted).tolist()):
            if not logits:
                _refuse(index, images)


def _refuse(index: int, images_are_finite: bool) -> NoReturn:
    if not images_are_finite:
        raise InputError(f"images of batch {index} hold NaN or infinity: repair the data")
    raise InputError(
        f"logits of batch {index} hold NaN or infinity: the network's weights or ranges are "
        "broken; calibrate again, or train with a lower optimizer.lr"
    )
