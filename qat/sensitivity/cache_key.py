"""A digest of everything that a sensitivity table depends on."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from qat.core.network_tensors import own_state
from qat.core.plan import Plan
from qat.sensitivity.widths import at_width

DIGITS = 16
"""Hexadecimal digits of a digest."""


def sensitivity_digest(net: nn.Module, plan: Plan, *data: Iterable[Any]) -> str:
    """Digest of a network's weights, the plan's methods and the images.

    The plan's widths are left out, since a table has all of them. Of the plan, the digest covers
    which layers are quantized, where, and by which quantizer and observer.

    Args:
        net: The float network.
        plan: The plan whose layers are tried.
        data: Batches of images, or of ``(images, labels)``: those to calibrate with, those to
            measure on. The size of the batches changes the digest too, because it changes what a
            moving average observes.

    Returns:
        16 hexadecimal digits.

    Example:
        >>> from qat.core.plan import Plan
        >>> one, other = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        >>> one.weight.data, other.weight.data = torch.ones(1, 1), torch.ones(1, 1)
        >>> sensitivity_digest(one, Plan({})) == sensitivity_digest(other, Plan({}))
        True
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(own_state(net).items()):
        digest.update(name.encode())
        _add(digest, tensor)
    plain = at_width(plan, 8)
    digest.update(json.dumps(plain.to_dict(), sort_keys=True, default=asdict).encode())
    for batches in data:
        digest.update(b"batches")
        for batch in batches:
            for tensor in (batch,) if isinstance(batch, Tensor) else batch:
                _add(digest, tensor)
    return digest.hexdigest()[:DIGITS]


def _add(digest: Any, tensor: Tensor) -> None:
    plain = tensor.detach().cpu().contiguous()
    digest.update(f"{plain.dtype} {tuple(plain.shape)}".encode())
    digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
