"""Weights of planned layers that a network multiplies without calling the layer.

``F.linear(x, self.fc.weight)`` bypasses the quantized version of ``fc``: the network would compute
with a float weight although the plan quantizes it.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from qat.base.errors import InputError
from qat.graph.products import UncountedError, products
from qat.layers.walk import tensors, twins


class GoneAroundError(InputError):
    """The network does not call a planned layer, or also uses its weight without a call."""


def check_calls(net: nn.Module, planned: Collection[str], example: Tensor) -> None:
    """Check that the weights of planned layers are multiplied only by their own layers.

    Args:
        net: A float network.
        planned: Names of the layers that are to be quantized.
        example: Preprocessed images; the first one is run.

    Raises:
        GoneAroundError: If a weight is multiplied elsewhere; the message names layer and line.
    """
    try:
        computed = products(net, example[:1])
    except UncountedError:  # the record of the run then has the reason for missing costs
        return
    for product in computed:
        owner, _, attribute = product.parameter.rpartition(".")
        if attribute == "weight" and owner in planned and product.layer != owner:
            raise GoneAroundError(
                f"layer {owner!r} is planned, and {product.line} multiplies its weight without "
                "calling it, so the weight is float there: call the layer, or keep it float by "
                f"scheme.rules=[{{match: {owner}, keep_float: true}}]"
            )


def check_tied(net: nn.Module, planned: Collection[str]) -> None:
    """Check that no planned layer shares its weight with another layer.

    Each quantized layer rounds with its own scale, and a packed file holds one tensor of codes for
    each layer. One shared weight cannot have two scales.

    Args:
        net: A float network.
        planned: Names of the layers that are to be quantized.

    Raises:
        GoneAroundError: If two layers share a weight and one is planned; the message names both.
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
    """Check that the code inside calls every quantized layer and tensor of a network.

    Raises:
        GoneAroundError: If one was not called, because it would have no range.
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
            "the images take another path; keep them float by scheme.rules "
            f"([{{match: {next(iter(waiting))}, keep_float: true}}])"
        )
