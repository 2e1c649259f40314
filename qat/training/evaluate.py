"""How well a network classifies."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qat.base.errors import InputError
from qat.base.progress import Track
from qat.core.accuracy import classes_before
from qat.core.evaluation_mode import evaluating


def evaluate(
    net: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    device: torch.device | str | None = None,
    track: Track | None = None,
) -> dict[str, float]:
    """Accuracy and loss over labelled batches, in evaluation mode.

    An image is right in the first ``k`` if fewer than ``k`` classes come before its own; among
    equal logits, which quantized ones can be, the lower class comes first. Sums are in double
    precision, so that the size of a batch does not show in them.

    Args:
        net: Images to logits ``(batch, classes)``; its modes are left as they were.
        batches: ``(images, labels)``.
        device: Where to run, the network is moved there; None for where it is.
        track: Wraps the batches to show progress.

    Returns:
        ``top1`` and ``loss`` (mean cross entropy, nats); ``top5`` if there are more than five
        classes. Accuracies are fractions.

    Raises:
        ValueError: If logits are NaN or infinite, naming the first such batch; or no batch came.
    """
    images = right1 = right5 = classes = 0
    loss = 0.0
    for logits, labels in _logits(net, batches, device, track):
        before = classes_before(logits, labels)
        images, classes = images + len(labels), logits.shape[1]
        right1, right5 = right1 + int((before < 1).sum()), right5 + int((before < 5).sum())
        loss += float(F.cross_entropy(logits.double(), labels, reduction="sum"))
    result = {"top1": right1 / images, "loss": loss / images}
    return {**result, "top5": right5 / images} if classes > 5 else result


def predict_logits(
    net: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    device: torch.device | str | None = None,
    track: Track | None = None,
) -> Tensor:
    """Logits ``(images, classes)`` on the CPU, in the order of the batches.

    Arguments and errors as :func:`evaluate`.
    """
    return torch.cat([logits.cpu() for logits, _ in _logits(net, batches, device, track)])


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
    index = -1
    with evaluating(net):
        for index, (images, labels) in enumerate(track(batches) if track else batches):
            images, labels = images.to(target), labels.to(target)
            # Not around the yield: a consumer's own tensors are none of this function's business.
            with torch.inference_mode():
                logits = net(images)
                _check_finite(logits, images, index)
            yield logits, labels
    if index < 0:
        raise InputError("there is nothing to evaluate: got no batches")


def _check_finite(logits: Tensor, images: Tensor, index: int) -> None:
    if bool(logits.isfinite().all()):
        return
    if not bool(images.isfinite().all()):
        raise InputError(f"images of batch {index} hold NaN or infinity: repair the data")
    raise InputError(
        f"logits of batch {index} hold NaN or infinity: the network's weights or ranges are "
        "broken; calibrate again, or train with a lower optimizer.lr"
    )
