"""Replacement of the layers that a plan names by their quantized versions."""

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
    """Return a quantized copy of a float network.

    Args:
        net: A float network; it is not changed.
        plan: The number formats of its layers and tensors.
        example: A batch of preprocessed images, which decides signs that the plan leaves open;
            None if it leaves none open.
        keep_norms: In placement ``integer``, fold batch norm at each use, so that training can
            change it; :func:`qat.convert.integer.fold_norms` folds it for good afterwards.

    Returns:
        The copy, in phase ``quantize``, not calibrated.

    Raises:
        KeyError: If the plan names a layer that the network lacks.
        ValueError: If a named layer has no quantized version, or cannot be quantized as planned.
        TraceError: If placement is ``integer`` and the network cannot be traced.

    Example:
        >>> import torch
        >>> from qat.convert.rules import make_plan
        >>> from qat.core.scheme import Scheme
        >>> net = nn.Sequential(nn.Linear(2, 3))
        >>> qnet = quantize(net, make_plan(net, Scheme(), torch.ones(4, 2)))
        >>> type(qnet[0]).__name__
        'QuantLinear'
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
    """Return a float copy of a quantized network, with its present weights, not rounded.

    Folded batch norms stay folded.
    """
    net = copy.deepcopy(qnet)
    fold_norms(net)
    for name, twin in list(twins(net)):
        replace_module(net, name, twin.to_float().train(twin.training))
    for path, _ in list(tensors(net)):
        replace_module(net, path, nn.Identity())
    return net


def check_layers(net: nn.Module, plan: Plan) -> None:
    """Check that a network has the layers of a plan.

    Args:
        net: A float network.
        plan: The plan.

    Raises:
        KeyError: If the plan names a layer that the network lacks.
    """
    known = dict(net.named_modules())
    unknown = [name for name in plan.layers if name not in known]
    if unknown:
        some = [name for name, module in known.items() if twin_of(module) is not None]
        raise UnknownNameError(
            f"the plan belongs to another network: this one has no {', '.join(unknown[:5])}; "
            f"it has {', '.join(some[:10])}{', ...' if len(some) > 10 else ''}"
        )
