"""Where the right class stands among a network's logits."""

import torch
from torch import Tensor


def classes_before(logits: Tensor, labels: Tensor) -> Tensor:
    """How many classes come before the right one, for each row of ``(batch, classes)``.

    Among equal logits, which quantized ones can be, the lower class comes first.
    """
    own = logits.gather(1, labels.unsqueeze(1))
    lower = torch.arange(logits.shape[1], device=logits.device) < labels.unsqueeze(1)
    return ((logits > own) | ((logits == own) & lower)).sum(dim=1)
