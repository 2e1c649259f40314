"""Weights of planned layers that are multiplied without calling the layer.

``F.linear(x, self.fc.weight)`` goes around the quantized twin of ``fc``: the network would compute
with a float weight where the plan says otherwise.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from qat.base.errors import InputError
from qat.graph.products import UncountedError, products
from qat.layers.walk import tensors, twins


class GoneAroundError(InputError):
    """A planned layer that the network does not call, or not only; the message names it."""


def check_calls(net: nn.Module, planned: Collection[str], example: Tensor) -> None:
    """Look whether the weights of planned layers are multiplied in their layers alone.

    Raises:
        GoneAroundError: If one is multiplied elsewhere too; layer and line are named.
    """
    try:
        found = products(net, example[:1])
    except UncountedError:  # its cost is then not measured, and says so
        return
    for product in found:
        owner, _, attribute = product.parameter.rpartition(".")
        if attribute == "weight" and owner in planned and product.layer != owner:
            raise GoneAroundError(
                f"layer {owner!r} is planned, and {product.line} multiplies its weight without "
                "calling it, which stays float: call the layer there, or keep it float by "
                f"scheme.rules=[{{match: {owner}, keep_float: true}}]"
            )


def check_tied(net: nn.Module, planned: Collection[str]) -> None:
    """Look whether a planned layer shares its weight with another layer.

    Each twin rounds by a scale of its own, and a packed file holds one tensor of codes a layer: one
    weight cannot be both.

    Raises:
        GoneAroundError: If two layers share a weight, and one is planned; both are named.
    """
    first: dict[nn.Parameter, str] = {}
    for name, weight in net.named_parameters(remove_duplicate=False):
        layer = name.removesuffix(".weight")
        if layer == name:
            continue
        other = first.setdefault(weight, layer)
        same = net.get_submodule(other) is net.get_submodule(layer)
        if not same and not {other, layer}.isdisjoint(planned):
            raise GoneAroundError(
                f"layers {other!r} and {layer!r} share one weight, which cannot have the scales of "
                "both: call one layer twice, or give the second a weight of its own "
                "(torch.nn.Parameter(weight.detach().clone()))"
            )


@contextmanager
def every_layer_called(qnet: nn.Module) -> Iterator[None]:
    """Inside, a quantized network is run; every quantized layer and tensor must be called.

    Raises:
        GoneAroundError: If one was not: its ranges would be of nothing.
    """
    parts = [*twins(qnet), *((tensor.plan.name, tensor) for _, tensor in tensors(qnet))]
    waiting = dict.fromkeys(name for name, _ in parts)

    def hook_of(name: str) -> Callable[..., None]:
        def hook(*_: object) -> None:
            waiting.pop(name, None)

        return hook

    handles = [part.register_forward_hook(hook_of(name)) for name, part in parts]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
    if waiting:
        some = ", ".join(list(waiting)[:5])
        raise GoneAroundError(
            f"planned layers were never called ({some}): the network computes without them, or "
            "the images take another way; keep them float by scheme.rules "
            f"([{{match: {next(iter(waiting))}, keep_float: true}}])"
        )
