"""Gradient accumulation that weights each batch by its number of images.

Lightning divides the loss of every batch by ``accumulate_grad_batches``, even if the last step of
an epoch has fewer batches or a batch has fewer images. Here, with ``n_i`` images and mean loss
``L_i`` of batch ``i`` and ``A`` batches per step, each loss is multiplied by ``n_i / n_1`` and the
gradient of a step by ``A / sum(n_i / n_1)``. This is the gradient of ``sum(n_i L_i) / sum(n_i)``,
the mean loss of all images. A full window of equal batches is not changed, bit for bit.
"""

from collections.abc import Iterable

from torch import nn


class Window:
    """The batches since the last optimizer step, in units of the first batch.

    Example:
        >>> window = Window()
        >>> [window.add(images) for images in (4, 2)]
        [1.0, 0.5]
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Discard the batches of an interrupted step."""
        self._first, self._total = 0.0, 0.0

    def add(self, images: float) -> float:
        """Add a batch of ``images`` images; return the factor of its loss."""
        self._first = self._first or images
        share = images / self._first
        self._total += share
        return share

    def close(self, batches: int, parameters: Iterable[nn.Parameter]) -> None:
        """End the window: scale the gradients, which were divided by ``batches``, in place.

        Args:
            batches: ``accumulate_grad_batches``.
            parameters: Of the optimizer.
        """
        factor = batches / self._total if self._total else 1.0
        self.clear()
        if factor == 1.0:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(factor)
