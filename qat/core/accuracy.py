"""Rank of the correct class among the logits of a network."""

import torch
from torch import Tensor


def classes_before(logits: Tensor, labels: Tensor) -> Tensor:
    """Number of classes that rank before the correct one, for each image.

    An image counts for top-k accuracy if the result is below k. Quantized logits can be equal; of
    equal logits the class with the lower index ranks first.

    Args:
        logits: ``(batch, classes)``.
        labels: ``(batch,)``, the correct classes.

    Returns:
        ``(batch,)``, int64.

    Example:
        >>> logits = torch.tensor([[0.1, 0.9, 0.5], [0.5, 0.2, 0.5]])
        >>> classes_before(logits, torch.tensor([2, 2]))
        tensor([1, 1])
    """
    own = logits.gather(1, labels.unsqueeze(1))
    lower = torch.arange(logits.shape[1], device=logits.device) < labels.unsqueeze(1)
    return ((logits > own) | ((logits == own) & lower)).sum(dim=1)
