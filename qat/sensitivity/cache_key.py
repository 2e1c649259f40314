"""What a sensitivity table is of, in one word."""

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


def sensitivity_digest(net: nn.Module, plan: Plan, *data: Iterable[Any]) -> str:
    """Digest of a network's weights, the plan's methods and the images.

    The plan's widths do not count: a table has them all. What is left is which layers are
    quantized, where, and by which quantizer and observer.

    Args:
        net: The float network.
        plan: The plan whose layers are tried.
        data: Batches of images, or of ``(images, labels)``: those to calibrate with, those to
            measure on. How they are cut into batches counts too: a moving average sees it.
    """
    found = hashlib.sha256()
    for name, tensor in sorted(own_state(net).items()):
        found.update(name.encode())
        _add(found, tensor)
    plain = at_width(plan, 8)
    found.update(json.dumps(plain.to_dict(), sort_keys=True, default=asdict).encode())
    for batches in data:
        found.update(b"batches")
        for batch in batches:
            for tensor in (batch,) if isinstance(batch, Tensor) else batch:
                _add(found, tensor)
    return found.hexdigest()[:DIGITS]


def _add(found: Any, tensor: Tensor) -> None:
    plain = tensor.detach().cpu().contiguous()
    found.update(f"{plain.dtype} {tuple(plain.shape)}".encode())
    found.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
