"""The tensors that the quantizers of some slots would round, and the loss that depends on them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qat.layers.twin import QuantTwin
from qat.sensitivity.single_quantizer import Fitted
from qat.sensitivity.widths import Slot

LabelledBatch = tuple[Tensor, Tensor]
"""``(images, labels)``."""


@contextmanager
def inputs_of(
    host: nn.Module, paths: Sequence[str], *, differentiable: bool
) -> Iterator[dict[str, list[Tensor]]]:
    """Record the inputs of modules inside the block.

    Args:
        host: The network that contains the modules.
        paths: Module paths within ``host``.
        differentiable: Let an input that needs no gradient (the images) need one, so that the
            loss can be differentiated by every input; gradients must be enabled.

    Returns:
        Path → inputs, one for each call of the module.
    """
    inputs: dict[str, list[Tensor]] = {path: [] for path in paths}

    def hook_of(path: str) -> Any:
        def hook(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
            value = args[0]
            if differentiable and not value.requires_grad:
                value = value.detach().requires_grad_()
            inputs[path].append(value)
            return (value, *args[1:])

        return hook

    handles = [host.get_submodule(p).register_forward_pre_hook(hook_of(p)) for p in paths]
    try:
        yield inputs
    finally:
        for handle in handles:
            handle.remove()


def weight_of(fitted: Fitted, slot: Slot) -> Tensor:
    """The weight of a layer of the host, as a leaf that takes gradients.

    Args:
        fitted: Host and quantizers.
        slot: ``(layer, "weight")``.
    """
    twin = fitted.host.get_submodule(fitted.sites[slot].path)
    assert isinstance(twin, QuantTwin)
    return twin.weight.requires_grad_()


def slot_tensors(
    fitted: Fitted, slots: Sequence[Slot], batch: LabelledBatch
) -> tuple[Tensor, dict[Slot, list[Tensor]]]:
    """Loss of one batch, and the tensors of each slot that it depends on.

    Args:
        fitted: Host and quantizers.
        slots: The slots.
        batch: ``(images, labels)``.

    Returns:
        Cross entropy summed over the images, nats; slot → tensors: the weight, or one input for
        each call of the layer.
    """
    weights = {slot: [weight_of(fitted, slot)] for slot in slots if slot[1] == "weight"}
    paths = {slot: fitted.sites[slot].path for slot in slots if slot[1] == "act"}
    with (
        torch.enable_grad(),
        inputs_of(fitted.host, list(paths.values()), differentiable=True) as inputs,
    ):
        logits = fitted.host(batch[0])
        loss = F.cross_entropy(logits, batch[1], reduction="sum")
    return loss, {**weights, **{slot: inputs[path] for slot, path in paths.items()}}
