"""Whether the weights in a file are those of the network, as far as the file has any.

A weight agrees if the network's value, within the values of the file, lies at most one step from
the file's: methods that choose the direction of rounding stay that near.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qat.base.errors import QatError
from qat.base.plurals import counted
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Scheme
from qat.layers.walk import twins

NEAR = 1.01
"""Steps that a weight may lie from that of the file."""
FAR_SHARE = 0.01
"""Largest share of the weights of a layer that may lie farther."""
_SHOWN = 3


@dataclass(frozen=True)
class StoredWeight:
    """The weight of a layer in a file.

    Attributes:
        values: As the file decodes them, output channels first.
        scale: Step, or one for each output channel.
    """

    values: np.ndarray[Any, Any]
    scale: tuple[float, ...]


def weight_remarks(
    stored: Mapping[str, StoredWeight], net: nn.Module, example: Tensor, folds: bool
) -> tuple[str, ...]:
    """One line if weights of a file are not those of the network; none if they are.

    Args:
        stored: Layer → its weight in the file.
        net: The float network.
        example: Preprocessed images.
        folds: Whether a run folds batch norm into the weights before it rounds them.
    """
    own = {name: net.get_submodule(name).weight for name in stored}
    used = _folded(net, example) if folds else own
    if used is None:
        return ()
    unlike = [name for name in stored if name in used and not _agree(stored[name], used[name])]
    if not unlike:
        return ()
    other = own if folds else (_folded(net, example) or {})
    cure = "give the float network that the file was made from: model.checkpoint=FILE"
    if all(name in other and _agree(stored[name], other[name]) for name in unlike):
        cure = (
            "the file keeps batch norm apart: use scheme.placement=academic without ptq=[fold]"
            if folds
            else "the file has batch norm folded: add ptq=[fold]"
        )
    names = ", ".join(unlike[:_SHOWN]) + (", ..." if len(unlike) > _SHOWN else "")
    count = f"{len(unlike)} of {counted(len(stored), 'layer')}"
    return (f"weights of {count} differ from those of the file ({names}): {cure}",)


def _agree(stored: StoredWeight, weight: Any) -> bool:
    """Whether a layer has the weight of the file; true if the shapes do not tell."""
    own = weight.detach().float().cpu()
    if tuple(own.shape) != stored.values.shape:
        return True
    values = torch.from_numpy(np.ascontiguousarray(stored.values, np.float32)).flatten(1)
    steps = torch.tensor(stored.scale).reshape(-1, 1)
    low, high = values.amin(1, keepdim=True), values.amax(1, keepdim=True)
    distance = (own.flatten(1).clamp(low, high) - values).abs()
    return bool((distance > NEAR * steps).float().mean() <= FAR_SHARE)


def _folded(net: nn.Module, example: Tensor) -> dict[str, Tensor] | None:
    """Layer → weight with batch norm folded; None for a network that cannot be traced."""
    try:
        plan = make_plan(net, Scheme(placement="integer", first_last="same"), example)
        return {name: twin.weight for name, twin in twins(quantize(net, plan))}
    except QatError:
        return None
