"""Cross-layer equalization of weight ranges, and absorption of high biases.

Nagel, van Baalen, Blankevoort, Welling, "Data-Free Quantization Through Weight Equalization and
Bias Correction", ICCV 2019, arXiv:1906.04721, section 4.1. For two layers with a ReLU between them
and any ``s > 0`` for each channel, ``relu(s x) = s relu(x)``, so that

    y = W2 relu(W1 x + b1) + b2 = (W2 S) relu(S^-1 W1 x + S^-1 b1) + b2,    S = diag(s).

With ``r1_i`` and ``r2_i`` the ranges of the weights that make and that read channel ``i``, the
precisions of both layers for one scale per tensor are best together where both ranges are equal
(appendix A):

    s_i = sqrt(r1_i r2_i) / r2_i = sqrt(r1_i / r2_i).

Pairs are rescaled one after the other, over and over, until no ``s_i`` differs from 1: a depthwise
convolution is the second layer of one pair and the first of the next.

Absorption (section 4.1.3), with ``c = max(0, beta - 3 gamma)`` from the statistics of the batch
norm that was folded into the first layer: ``relu(x - c) = relu(x) - c`` for all ``x >= c``, so that

    b1' = b1 - c,    b2' = b2 + W2 c

leaves almost all outputs as they are and narrows the range of the activation.

Differs from the paper: (1) A ReLU6 between two layers becomes a clip at ``6 / s_i``
(:class:`qat.ptq.clip.ChannelClip`), so that the network computes the same; the paper replaces it by
a ReLU, which ``relu6: relu`` does. (2) A channel whose weights are all zero is not rescaled.
(3) Biases are absorbed only where no padding and no pool is between the layers: with padding, the
border of an image has no constant to absorb. (4) A pair may also have pools, padding with zeros
and flattening between its layers, which scale with their input too.

Cites: nagel2019datafree.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from qat.convert.modules import replace_module
from qat.ptq.chains import Chain, chains
from qat.ptq.clip import ChannelClip
from qat.ptq.step import FloatStep
from qat.ptq.work import ChannelStatistics, FloatWork

RELU6_LIMIT = 6.0
CONVERGED = 1e-4
"""Largest deviation of a factor from 1 at which the rescaling ends."""


class Equalize(FloatStep):
    """Equalize the ranges of the weights of consecutive layers.

    Args:
        iterations: Most passes over all pairs.
        absorb: Also absorb high biases.
        relu6: ``clip`` keeps the function of the network, ``relu`` replaces ReLU6 as the paper
            does.
    """

    def __init__(self, iterations: int = 100, absorb: bool = False, relu6: str = "clip") -> None:
        super().__init__(iterations=iterations, absorb=absorb, relu6=relu6)

    @torch.no_grad()
    def change(self, work: FloatWork) -> None:
        """Rescale all pairs until they are equal, then absorb biases if that is set.

        Raises:
            TraceError: If the network cannot be traced; the message names the line.
        """
        pairs = chains(work.net)
        _replace_relu6(work.net, pairs, self.options["relu6"])
        pairs = chains(work.net)
        for _ in range(self.options["iterations"]):
            factors = [_rescale(work, pair) for pair in pairs]
            if all(float((s - 1).abs().max()) <= CONVERGED for s in factors):
                break
        if self.options["absorb"]:
            for pair in pairs:
                _absorb(work, pair)


def _replace_relu6(net: nn.Module, pairs: Sequence[Chain], relu6: str) -> None:
    for pair in pairs:
        if pair.activation == "relu6" and pair.limiter is not None:
            weight = _weight(net, pair.first)
            limit = torch.full((len(weight),), RELU6_LIMIT, device=weight.device)
            new = ChannelClip(limit) if relu6 == "clip" else nn.ReLU()
            replace_module(net, pair.limiter, new.eval())


def _weight(net: nn.Module, name: str) -> Tensor:
    weight = net.get_submodule(name).weight
    assert isinstance(weight, Tensor)
    return weight


def _rescale(work: FloatWork, pair: Chain) -> Tensor:
    """Equalize one pair; returns the factors."""
    first, second = (work.net.get_submodule(name) for name in (pair.first, pair.second))
    made, read = _weight(work.net, pair.first), by_input(second, len(_weight(work.net, pair.first)))
    s = factors_of(made.flatten(1).abs().amax(1), read.abs().amax(1))
    made.div_(_wide(s, made))
    if first.bias is not None:
        first.bias.div_(s)  # type: ignore[operator]
    scale_inputs(second, s)
    if pair.activation == "clip":
        work.net.get_submodule(str(pair.limiter)).limit.div_(s)  # type: ignore[operator,union-attr]
    if (known := work.statistics.get(pair.first)) is not None:
        work.statistics[pair.first] = ChannelStatistics(known.mean / s, known.std / s)
    return s


def factors_of(made: Tensor, read: Tensor) -> Tensor:
    """The factors ``sqrt(r1 / r2)``; 1 where a range is zero.

    Args:
        made: ``(channels,)``: ranges of the weights that make each channel.
        read: ``(channels,)``: ranges of the weights that read it.

    Example:
        >>> factors_of(torch.tensor([8.0, 1.0]), torch.tensor([2.0, 0.0])).tolist()
        [2.0, 1.0]
    """
    usable = (made > 0) & (read > 0)
    return torch.where(usable, (made / torch.where(usable, read, 1.0)).sqrt(), 1.0)


def by_input(layer: nn.Module, channels: int) -> Tensor:
    """The weights that read each input channel.

    Args:
        layer: A convolution, perhaps grouped, or a linear layer, perhaps behind a flattening.
        channels: Number of channels.

    Returns:
        ``(channels, n)``.
    """
    weight = layer.weight
    assert isinstance(weight, Tensor)
    if isinstance(layer, nn.Linear):
        return weight.t().reshape(channels, -1)
    groups = int(layer.groups)  # type: ignore[arg-type]
    parts = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    return parts.transpose(1, 2).reshape(channels, -1)


def scale_inputs(layer: nn.Module, s: Tensor) -> None:
    """Multiply the weights that read each input channel by a factor, in place.

    Args:
        layer: As for :func:`by_input`.
        s: ``(channels,)``.
    """
    weight = layer.weight
    assert isinstance(weight, Tensor)
    if isinstance(layer, nn.Linear):
        weight.mul_(s.repeat_interleave(weight.shape[1] // len(s)))
        return
    groups = int(layer.groups)  # type: ignore[arg-type]
    parts = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    own = s.reshape(groups, 1, -1, *[1] * (weight.ndim - 2))
    weight.copy_((parts * own).reshape(weight.shape))


def _wide(s: Tensor, weight: Tensor) -> Tensor:
    return s.reshape(-1, *[1] * (weight.ndim - 1))


def _absorb(work: FloatWork, pair: Chain) -> None:
    """Move the part of a bias above which nearly all values lie into the next layer."""
    known = work.statistics.get(pair.first)
    first, second = (work.net.get_submodule(name) for name in (pair.first, pair.second))
    padded = any(n != 0 for n in getattr(second, "padding", ()) if not isinstance(n, str))
    padded = padded or isinstance(getattr(second, "padding", ()), str)
    if known is None or pair.activation not in ("relu", "clip"):
        return
    if padded or pair.pools:
        return
    c = (known.mean - 3 * known.std).clamp(min=0)
    if pair.activation == "clip":
        limit: Tensor = work.net.get_submodule(str(pair.limiter)).limit  # type: ignore[assignment]
        c = torch.minimum(c, limit)
        limit.sub_(c)
    first.bias.sub_(c)  # type: ignore[operator,union-attr]
    _add_response(second, c)
    work.statistics[pair.first] = ChannelStatistics(known.mean - c, known.std)


def _add_response(layer: nn.Module, c: Tensor) -> None:
    """Add ``W c`` to the bias of a layer, which gets one if it has none."""
    response = input_response(layer.weight, layer, c)  # type: ignore[arg-type]
    if layer.bias is None:
        layer.bias = nn.Parameter(torch.zeros_like(response))
    layer.bias.add_(response)  # type: ignore[operator]


def input_response(weight: Tensor, layer: nn.Module, c: Tensor) -> Tensor:
    """The output of a layer, without its bias, for an input that is constant in each channel.

    Args:
        weight: ``(out, in / groups, ...)``, of the shape of the layer's weight.
        layer: A convolution or a linear layer, perhaps behind a flattening.
        c: ``(channels,)``.

    Returns:
        ``(out,)``; of a padded convolution the value away from the border.
    """
    if isinstance(layer, nn.Linear):
        return weight @ c.repeat_interleave(weight.shape[1] // len(c))
    groups = int(layer.groups)  # type: ignore[arg-type]
    parts = weight.flatten(2).sum(2).reshape(groups, weight.shape[0] // groups, -1)
    return (parts * c.reshape(groups, 1, -1)).sum(2).reshape(-1)
