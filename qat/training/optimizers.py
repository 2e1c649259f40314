"""Optimizers, and the parameter groups with their learning rates."""

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from qat.core.optimizers import OPTIMIZERS
from qat.quantizers.base import Quantizer
from qat.training.specs import OptimizerSpec

ParameterGroup = dict[str, Any]
"""Name, parameters, learning rate and weight decay, as torch's optimizers take them."""


def quantizer_parameters(net: nn.Module) -> list[nn.Parameter]:
    """Trainable parameters of all quantizers (steps, clips), each once, in order of definition."""
    by_id: dict[int, nn.Parameter] = {}
    for module in net.modules():
        if isinstance(module, Quantizer):
            by_id |= {id(p): p for p in module.parameters() if p.requires_grad}
    return list(by_id.values())


def float_groups(net: nn.Module, spec: OptimizerSpec) -> list[ParameterGroup]:
    """Groups of the network's own trainable parameters, without those of quantizers.

    Args:
        net: Float or quantized.
        spec: If ``decay_norm_and_bias`` is false, parameters of fewer than two axes form a second
            group without weight decay.

    Returns:
        The group ``weights`` and, if it has parameters, the group ``undecayed``.
    """
    quantizers = {id(p) for p in quantizer_parameters(net)}
    own = [p for p in net.parameters() if p.requires_grad and id(p) not in quantizers]
    decayed = [p for p in own if spec.decay_norm_and_bias or p.ndim > 1]
    undecayed = [p for p in own if not (spec.decay_norm_and_bias or p.ndim > 1)]
    groups = [_group("weights", decayed, spec.lr, spec.weight_decay)]
    return [*groups, _group("undecayed", undecayed, spec.lr, 0.0)] if undecayed else groups


def quantizer_groups(net: nn.Module, spec: OptimizerSpec) -> list[ParameterGroup]:
    """Trainable parameters of all quantizers, in groups of equal weight decay.

    Args:
        net: Quantized.
        spec: ``step_lr`` is the learning rate, or ``lr`` if it is None; ``step_weight_decay`` is
            the weight decay, unless a quantizer has its own.

    Returns:
        The group ``quantizers``, and ``quantizers_decay_X`` for each other decay X; none if no
        quantizer has a trainable parameter.
    """
    lr = spec.lr if spec.step_lr is None else spec.step_lr
    own, by_decay = _own_decays(net, spec), dict[float, list[nn.Parameter]]()
    for parameter in quantizer_parameters(net):
        by_decay.setdefault(own.get(id(parameter), spec.step_weight_decay), []).append(parameter)
    usual = by_decay.pop(spec.step_weight_decay, [])
    groups = [_group("quantizers", usual, lr, spec.step_weight_decay)] if usual else []
    return groups + [_group(f"quantizers_decay_{d:g}", p, lr, d) for d, p in by_decay.items()]


def _own_decays(net: nn.Module, spec: OptimizerSpec) -> dict[int, float]:
    """Weight decay of each parameter whose quantizer has its own."""
    decays: dict[int, float] = {}
    for module in net.modules():
        if isinstance(module, Quantizer) and module.decay is not None:
            own = spec.weight_decay if module.decay == "weights" else float(module.decay)
            decays |= {id(p): own for p in module.parameters()}
    return decays


def parameter_groups(
    net: nn.Module,
    lr: float,
    weight_decay: float = 0.0,
    *,
    step_lr: float | None = None,
    step_weight_decay: float = 0.0,
    decay_norm_and_bias: bool = True,
) -> list[ParameterGroup]:
    """Parameter groups for any optimizer of torch, with a learning rate of their own for steps.

    Args:
        net: A quantized network.
        lr: Learning rate of the network's own parameters.
        weight_decay: Of the network's own parameters.
        step_lr: Learning rate of what quantizers learn (steps, clips); None for ``lr``.
        step_weight_decay: Of what quantizers learn; a clip of ``pact`` has a decay of its own.
        decay_norm_and_bias: If false, batch-norm parameters and biases have no weight decay.

    Returns:
        Groups with ``name``, ``params``, ``lr`` and ``weight_decay``, none of them empty.

    Raises:
        ValueError: If a rate or a decay is not allowed.

    Example:
        >>> import qat, torch
        >>> net, images = nn.Sequential(nn.Linear(2, 3)), torch.ones(4, 2)
        >>> lsq = qat.TensorSpec(bits=4, quantizer=qat.Method("lsq"))
        >>> qnet = qat.quantize(net, qat.make_plan(net, qat.Scheme(lsq, lsq), images))
        >>> groups = qat.parameter_groups(qnet, lr=0.01, weight_decay=1e-4, step_lr=0.001)
        >>> optimizer = torch.optim.SGD(groups, momentum=0.9)
        >>> [(group["name"], group["lr"]) for group in optimizer.param_groups]
        [('weights', 0.01), ('quantizers', 0.001)]
    """
    spec = OptimizerSpec(
        lr=lr,
        weight_decay=weight_decay,
        step_lr=step_lr,
        step_weight_decay=step_weight_decay,
        decay_norm_and_bias=decay_norm_and_bias,
    )
    groups = [*float_groups(net, spec), *quantizer_groups(net, spec)]
    return [group for group in groups if group["params"]]


def make_optimizer(groups: list[ParameterGroup], spec: OptimizerSpec) -> Optimizer:
    """The optimizer of a spec.

    Args:
        groups: Each with its own learning rate and weight decay.
        spec: Name and further settings of the optimizer.

    Example:
        >>> net = nn.Linear(2, 3)
        >>> spec = OptimizerSpec("adam", lr=0.01)
        >>> optimizer = make_optimizer(float_groups(net, spec), spec)
        >>> [(group["name"], group["lr"]) for group in optimizer.param_groups]
        [('weights', 0.01)]
    """
    kind = OPTIMIZERS[spec.name]
    settings = {name: getattr(spec, name) for name in kind.settings}
    optimizer: Optimizer = getattr(torch.optim, kind.torch_name)(groups, lr=spec.lr, **settings)
    return optimizer


def _group(name: str, params: list[nn.Parameter], lr: float, weight_decay: float) -> ParameterGroup:
    return {"name": name, "params": params, "lr": lr, "weight_decay": weight_decay}
