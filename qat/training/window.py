"""The batches whose gradients one optimizer step adds up, each weighted by its images.

Lightning divides the loss of every batch by ``accumulate_grad_batches``, however few batches an
epoch's last step has, and however few images a batch. With ``n_i`` images and mean loss ``L_i``,
``A`` batches a step, each loss is multiplied by ``n_i / n_1`` and the gradient of a step by
``A / sum(n_i / n_1)``, which gives the gradient of ``sum(n_i L_i) / sum(n_i)``: that of one batch
of all the images. Full windows of equal batches are left alone, bit for bit.
"""

from collections.abc import Iterable

from torch import nn


class Window:
    """What came together since the last optimizer step, in batches of the first one's size."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget an interrupted window."""
        self._first, self._total = 0.0, 0.0

    def add(self, images: float) -> float:
        """Take in a batch of so many images; what its loss is to be multiplied by."""
        self._first = self._first or images
        share = images / self._first
        self._total += share
        return share

    def close(self, batches: int, parameters: Iterable[nn.Parameter]) -> None:
        """End the window: scale gradients that were each divided by ``batches``, in place."""
        factor = batches / self._total if self._total else 1.0
        self.clear()
        if factor == 1.0:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(factor)
