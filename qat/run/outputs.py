"""Test images of a run, and what a network makes of them."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from qat.base.progress import tracked
from qat.data.batches import Batches
from qat.run.prepare import Prepared
from qat.training.evaluate import predict_logits


def logits_of_test_set(prepared: Prepared, net: nn.Module, description: str) -> Tensor:
    """Outputs on the whole test set, on the CPU."""
    batches = tracked(description, prepared.test_batches())
    return predict_logits(net, batches, prepared.device).cpu()


def first_images(prepared: Prepared, at_once: int, most: int) -> Iterator[Tensor]:
    """The first test images, ``most`` of them or all, a batch at a time."""
    first = prepared.data.test.subset(torch.arange(min(most, len(prepared.data.test))))
    for images, _ in Batches(first, min(at_once, most), prepared.data.preprocess):
        yield images
