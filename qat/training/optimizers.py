"""Optimizers, and which parameter learns at which rate."""

from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from qat.quantizers.base import Quantizer
from qat.training.specs import OptimizerSpec

ParameterGroup = dict[str, Any]


def quantizer_parameters(net: nn.Module) -> list[nn.Parameter]:
    """Trainable parameters of all quantizers (steps, clips), each once, in order of definition."""
    found: dict[int, nn.Parameter] = {}
    for module in net.modules():
        if isinstance(module, Quantizer):
            found |= {id(p): p for p in module.parameters() if p.requires_grad}
    return list(found.values())


def float_groups(net: nn.Module, spec: OptimizerSpec) -> list[ParameterGroup]:
    """The network's own trainable parameters: ``weights`` and, if asked, ``undecayed``."""
    quantizers = {id(p) for p in quantizer_parameters(net)}
    own = [p for p in net.parameters() if p.requires_grad and id(p) not in quantizers]
    decayed = [p for p in own if spec.decay_norm_and_bias or p.ndim > 1]
    undecayed = [p for p in own if not (spec.decay_norm_and_bias or p.ndim > 1)]
    groups = [_group("weights", decayed, spec.lr, spec.weight_decay)]
    return [*groups, _group("undecayed", undecayed, spec.lr, 0.0)] if undecayed else groups


def quantizer_groups(net: nn.Module, spec: OptimizerSpec) -> list[ParameterGroup]:
    """``quantizers``: their parameters, with a rate and decay of their own; none if none learn."""
    parameters = quantizer_parameters(net)
    lr = spec.lr if spec.step_lr is None else spec.step_lr
    return [_group("quantizers", parameters, lr, spec.step_weight_decay)] if parameters else []


def make_optimizer(groups: list[ParameterGroup], spec: OptimizerSpec) -> Optimizer:
    """The optimizer of a spec over parameter groups that carry their own rates."""
    if spec.name == "sgd":
        return SGD(groups, lr=spec.lr, momentum=spec.momentum, nesterov=spec.nesterov)
    kind = Adam if spec.name == "adam" else AdamW
    return kind(groups, lr=spec.lr, betas=spec.betas)


def _group(name: str, params: list[nn.Parameter], lr: float, weight_decay: float) -> ParameterGroup:
    return {"name": name, "params": params, "lr": lr, "weight_decay": weight_decay}
