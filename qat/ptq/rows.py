"""Activations of all images, from which batches are taken in the memory format channels-last.

Convolutions on a CPU are up to twice as fast in it, and rows are copied as they lie.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from qat.ptq.storage import gathered
from qat.ptq.work import Work

_PART = 128
"""Images that are converted at once."""
_COPIES = 16
"""Tensors of all images that a step on a layer or block keeps at once, its inputs included."""


class Rows:
    """Rows of a tensor of all images.

    Args:
        x: ``(images, channels, height, width)``, or of another rank, which has no such format.
        work: The step's work, for its memory budget and the device of batches.
        function: Applied to the tensor before it is kept; None keeps it as it is.

    Example:
        >>> work = Work(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1), [])
        >>> rows = Rows(torch.arange(12.0).reshape(3, 2, 1, 2), work)
        >>> rows.chosen(torch.tensor([2])).tolist()
        [[[[8.0, 9.0]], [[10.0, 11.0]]]]
    """

    def __init__(
        self, x: Tensor, work: Work, function: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        self._device = work.device
        parts = self._parts(x, function)
        self._rows = gathered(parts, len(x), work.budget_bytes // _COPIES)

    @torch.no_grad()
    def _parts(self, x: Tensor, function: Callable[[Tensor], Tensor] | None) -> Iterator[Tensor]:
        for part in x.split(_PART):
            part = part.to(self._device)
            part = part if function is None else function(part)
            self._is_image = part.ndim == 4
            yield part.permute(0, 2, 3, 1) if self._is_image else part

    def chosen(self, indices: Tensor) -> Tensor:
        """The rows of these indices on the device of the work, channels-last if they are images."""
        rows = self._rows.index_select(0, indices.to(self._rows.device)).to(self._device)
        return rows.permute(0, 3, 1, 2) if self._is_image else rows
