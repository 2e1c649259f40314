"""Swap the layers a plan names for their quantized twins."""

import copy

from torch import Tensor, nn

from qat.base.errors import UnknownNameError
from qat.convert.integer import fold_norms, quantize_integer
from qat.convert.modules import make_twin, replace_module
from qat.convert.rules import with_signs
from qat.core.plan import Plan
from qat.layers.registry import twin_of
from qat.layers.walk import quantizers, tensors, twins


def quantize(
    net: nn.Module, plan: Plan, example: Tensor | None = None, *, keep_norms: bool = False
) -> nn.Module:
    """A quantized copy of a float network; the float one is left as it is.

    Args:
        net: A float network.
        plan: Which layers become what.
        example: A batch of preprocessed images, to decide signs that the plan leaves open.
        keep_norms: In placement ``integer``, fold batch norm anew at each use, so that a training
            moves it; :func:`qat.convert.integer.fold_norms` ends that.

    Returns:
        The copy, in phase ``quantize``, uncalibrated.

    Raises:
        KeyError: If the plan names a layer the network lacks.
        ValueError: If a named layer has no quantized twin, or cannot be quantized as planned.
    """
    if example is not None:
        plan = with_signs(plan, net, example)
    check_layers(net, plan)
    if plan.placement == "integer":
        qnet: nn.Module = quantize_integer(net, plan, keep_norms=keep_norms)
    else:
        qnet = copy.deepcopy(net)
        for name, layer_plan in plan.layers.items():
            replace_module(qnet, name, make_twin(qnet.get_submodule(name), layer_plan))
    for name, slot, quantizer in quantizers(qnet):
        quantizer.label = f"{name} ({slot})"
    return qnet


def to_float(qnet: nn.Module) -> nn.Module:
    """A float copy of a quantized network, with its present weights, unrounded.

    Batch norms that were folded stay so.
    """
    net = copy.deepcopy(qnet)
    fold_norms(net)
    for name, twin in list(twins(net)):
        replace_module(net, name, twin.to_float().train(twin.training))
    for path, _ in list(tensors(net)):
        replace_module(net, path, nn.Identity())
    return net


def check_layers(net: nn.Module, plan: Plan) -> None:
    """Raise KeyError if the plan names layers that the network lacks."""
    known = dict(net.named_modules())
    unknown = [name for name in plan.layers if name not in known]
    if unknown:
        some = [name for name, module in known.items() if twin_of(module) is not None]
        raise UnknownNameError(
            f"the plan is of another network: it has no {', '.join(unknown[:5])}; "
            f"it has {', '.join(some[:10])}{', ...' if len(some) > 10 else ''}"
        )
