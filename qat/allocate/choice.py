"""Learned widths: a softmax over quantizers, trained with a price for their costs.

As in Wu et al., "Mixed Precision Quantization of ConvNets via Differentiable Neural Architecture
Search", arXiv:1812.00090, and Cai and Vasconcelos, "Rethinking Differentiable Search for
Mixed-Precision Neural Networks" (EdMIPS), CVPR 2020, arXiv:2004.05795: every slot holds one
quantizer for each width, and a logit for each quantizer,

    x' = sum_b p_b Q_b(x),     p = softmax(logits / temperature),

and the training adds the expected cost of the network to its loss. The result is an ordinary plan:
the most probable width of each slot, or the most probable plan within a budget.

Differs from Wu et al.: the mixture is of rounded tensors, as in EdMIPS, and not of the outputs of
layers, so that each layer computes once. For weights the two are equal, since a layer is linear.

Cites: wu2018dnas, cai2020edmips.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from qat.allocate.costs import NetworkCosts
from qat.base.errors import InputError
from qat.convert.swap import quantize
from qat.core.plan import Plan
from qat.sensitivity.single_quantizer import fit_quantizers
from qat.sensitivity.widths import FLOAT_BITS, Slot, at_width, check_widths, slots_of


class ChoiceQuantizer(nn.Module):
    """A softmax over quantizers of several widths.

    Args:
        quantizers: Width → calibrated quantizer; the identity for float.
        temperature: Of the softmax; with a lower one, the probabilities are nearer to 0 and 1.

    Shape:
        Input and output have the same shape.

    Attributes:
        widths: Ascending.
        logits: Trained, one for each width; all zero at the start.

    Example:
        >>> choice = ChoiceQuantizer({2: nn.Identity(), 4: nn.Identity()})
        >>> choice.expected([2, 4]).item()
        3.0
    """

    def __init__(self, quantizers: Mapping[int, nn.Module], temperature: float = 1.0) -> None:
        super().__init__()
        self.widths = tuple(sorted(quantizers))
        self.quantizers = nn.ModuleList(quantizers[width] for width in self.widths)
        self.logits = nn.Parameter(torch.zeros(len(self.widths)))
        self.temperature = temperature

    def probabilities(self) -> Tensor:
        """Probability of each width, ``(widths,)``."""
        return torch.softmax(self.logits / self.temperature, dim=0)

    def surprisals(self) -> Tensor:
        """``-log p`` of each width, nats; finite even where ``p`` is 0 in float32."""
        return -torch.log_softmax(self.logits.detach().double() / self.temperature, dim=0)

    def expected(self, values: Sequence[float]) -> Tensor:
        """Expectation of a quantity that has one value for each width, a scalar."""
        weights = torch.tensor(values, dtype=self.logits.dtype, device=self.logits.device)
        return (self.probabilities() * weights).sum()

    def forward(self, x: Tensor) -> Tensor:
        """The mixture ``sum_b p_b Q_b(x)``."""
        shares = self.probabilities()
        rounded = (share * q(x) for share, q in zip(shares, self.quantizers, strict=True))
        return sum(rounded, start=torch.zeros_like(x))

    def extra_repr(self) -> str:
        """One line for ``print(net)``."""
        return f"widths {', '.join(map(str, self.widths))}"


def choose_widths(
    net: nn.Module,
    plan: Plan,
    widths: Sequence[int],
    batches: Iterable[Any],
    *,
    fixed: Iterable[str | Slot] = (),
    slots: Sequence[str] = ("weight", "act"),
) -> nn.Module:
    """A calibrated network with a :class:`ChoiceQuantizer` in every slot that is free.

    Args:
        net: The float network; it is left as it is.
        plan: Methods of all slots, and widths of the slots that are not free.
        widths: Candidates.
        batches: Calibration images, or tuples that begin with them.
        fixed: Layers, or slots, that keep the plan's widths.
        slots: Kinds of slots that are free: ``weight``, ``act`` or both.

    Raises:
        ValueError: If there is no width, or the placement is ``integer``.
    """
    if plan.placement == "integer":
        raise InputError(
            "learned widths need scheme.placement=academic, got integer; set it, or take another "
            "allocator"
        )
    options = check_widths(widths)
    kept_as_planned = set(fixed)
    free = [s for s in slots_of(plan) if not {s, s[0]} & kept_as_planned and s[1] in slots]
    images = list(batches)
    fitted = fit_quantizers(net, plan, options, images)
    planned = {(n, kind): getattr(plan.layers[n], kind).stored_bits for n, kind in slots_of(plan)}
    others = fit_quantizers(net, plan, sorted(set(planned.values())), images)
    qnet = quantize(net, at_width(plan, FLOAT_BITS))
    for slot, site in fitted.sites.items():
        own: nn.Module = nn.Identity()
        if slot in free:
            own = ChoiceQuantizer(
                {
                    b: fitted.quantizers[*slot, b] if b < FLOAT_BITS else nn.Identity()
                    for b in options
                }
            )
        elif planned[slot] < FLOAT_BITS:
            own = others.quantizers[*slot, planned[slot]]
        twin = qnet.get_submodule(site.path)
        own.train(twin.training)
        setattr(twin, site.attribute, own)
    return qnet.to(next(net.parameters()).device)


def choices(qnet: nn.Module) -> Iterator[tuple[Slot, ChoiceQuantizer]]:
    """``(slot, choice)`` of every :class:`ChoiceQuantizer` of a network."""
    kinds = {"weight_quantizer": "weight", "input_quantizer": "act"}
    for path, module in qnet.named_modules():
        if isinstance(module, ChoiceQuantizer):
            layer, _, attribute = path.rpartition(".")
            yield (layer, kinds[attribute]), module


def choice_parameters(qnet: nn.Module) -> list[nn.Parameter]:
    """The logits of all choices, for an optimizer group of their own."""
    return [module.logits for _, module in choices(qnet)]


def set_temperature(qnet: nn.Module, temperature: float) -> None:
    """Set the temperature of the softmax in all choices.

    Args:
        qnet: With choices, see :func:`choose_widths`.
        temperature: Above 0; with a lower one, the probabilities are nearer to 0 and 1.

    Raises:
        ValueError: If it is not above 0.
    """
    if not temperature > 0:
        raise InputError(f"temperature must be above 0, got {temperature}; give one such as 1.0")
    for _, module in choices(qnet):
        module.temperature = temperature


def expected_weight_bytes(qnet: nn.Module, costs: NetworkCosts) -> Tensor:
    """Expected bytes of all weights, a scalar with a gradient.

    Args:
        qnet: With choices, see :func:`choose_widths`.
        costs: Of the network.
    """
    by_slot = dict(choices(qnet))
    terms = [
        layer.weights / 8 * _expected_bits(by_slot, (layer.name, "weight"), costs)
        for layer in costs.layers
    ]
    return torch.stack(terms).sum()


def expected_bops(qnet: nn.Module, costs: NetworkCosts) -> Tensor:
    """Expected bit operations for one image, a scalar with a gradient.

    The choices of weights and activations are independent, so that the expectation of a product is
    the product of the expectations.

    Args:
        qnet: With choices, see :func:`choose_widths`.
        costs: Of the network.
    """
    by_slot = dict(choices(qnet))
    terms = [
        layer.macs
        * _expected_bits(by_slot, (layer.name, "weight"), costs)
        * _expected_bits(by_slot, (layer.name, "act"), costs)
        for layer in costs.layers
    ]
    return torch.stack(terms).sum()


def choice_harms(qnet: nn.Module) -> dict[Slot, dict[int, float]]:
    """Slot → width → ``-log p``, nats: the plan of the least sum is the most probable one.

    With these harms, :func:`qat.allocate.problem.make_problem` sets up the search for the most
    probable plan within a budget.
    """
    return {
        slot: dict(zip(own.widths, own.surprisals().tolist(), strict=True))
        for slot, own in choices(qnet)
    }


def _expected_bits(
    by_slot: Mapping[Slot, ChoiceQuantizer], slot: Slot, costs: NetworkCosts
) -> Tensor:
    if slot in by_slot:
        return by_slot[slot].expected(by_slot[slot].widths)
    like = next(iter(by_slot.values())).logits
    return torch.tensor(float(costs.width(slot, {})), dtype=like.dtype, device=like.device)
