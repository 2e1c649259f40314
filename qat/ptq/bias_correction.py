"""Bias correction: remove the mean error that quantization adds to each output channel.

Nagel, van Baalen, Blankevoort, Welling, "Data-Free Quantization Through Weight Equalization and
Bias Correction", ICCV 2019, arXiv:1906.04721. Rounded weights ``W~ = W + e`` shift the mean of an
output (Eq. 1),

    E[y~_j - y_j] ~ 1/N sum_n (W~ x_n)_j - (W x_n)_j

and the bias is lowered by that shift, one layer after the other.

- ``empirical`` (appendix D): both means are taken over images and positions, ``y~`` in the
  quantized network whose earlier layers are corrected already, ``y`` in the float network, before
  the activation.
- ``analytic`` (section 4.2 and appendix C), without data: the shift is ``e E[x]``, with ``E[x]``
  from the batch norm that was folded into the layer that makes ``x``. That layer's output has a
  normal distribution with mean beta and standard deviation gamma, and a ReLU clips it at 0,

      E[relu(z)] = gamma phi(-beta / gamma) + beta (1 - Phi(-beta / gamma)),

  a ReLU6 also at 6. Layers whose input has no such source (the image, the sum of two branches
  behind a ReLU) keep their biases.

Differs from the paper: the empirical shift has the rounding of the inputs in it too, not that of
the weights alone; a layer without a bias gets one.

Cites: nagel2019datafree.
"""

import math

import torch
from torch import Tensor

from qat.layers.walk import twins
from qat.ptq.chains import Chain, chains
from qat.ptq.equalize import RELU6_LIMIT, input_response
from qat.ptq.held import add_to_bias
from qat.ptq.layers import Layer, each_layer
from qat.ptq.step import QuantizedStep
from qat.ptq.work import Work


class BiasCorrection(QuantizedStep):
    """Correct the bias of every layer with rounded weights.

    Args:
        kind: ``empirical`` or ``analytic``.
    """

    def __init__(self, kind: str = "empirical") -> None:
        super().__init__(kind=kind)

    @torch.no_grad()
    def change(self, work: Work) -> None:
        """Lower each bias by the mean error of its channel."""
        if self.options["kind"] == "analytic":
            _correct_analytically(work)
            return
        for layer in each_layer(work):
            add_to_bias(layer.twin, -mean_error(layer, work))


def mean_error(layer: Layer, work: Work) -> Tensor:
    """``E[y~ - y]`` of each output channel, over all images and positions.

    Args:
        layer: The layer, with its inputs and float outputs.
        work: The step's work: its batches split the images.

    Returns:
        ``(out,)``.
    """
    size, device = len(work.batches[0]), work.device
    total: Tensor | float = 0.0
    count = 0
    for x, y in zip(layer.inputs.split(size), layer.float_outputs.split(size), strict=True):
        error = layer.twin(x.to(device), rounded=True) - y.to(device)
        rows = _by_channel(error, layer)
        total, count = total + rows.double().sum(0), count + len(rows)
    assert isinstance(total, Tensor)
    return (total / count).float()


def _by_channel(y: Tensor, layer: Layer) -> Tensor:
    """``(positions, out)``: a linear layer has its channels on the last axis."""
    is_linear = layer.twin.weight.ndim == 2
    return y.flatten(0, -2) if is_linear else y.movedim(1, -1).flatten(0, -2)


def _correct_analytically(work: Work) -> None:
    made = {chain.second: chain for chain in chains(work.float_net)}
    named = dict(twins(work.qnet))
    for name, chain in made.items():
        known = work.statistics.get(chain.first)
        expected = None if known is None else _expected_input(work, chain, known.mean, known.std)
        if expected is None or name not in named:
            continue
        own = work.float_net.get_submodule(name)
        weight = named[name].quantized()[0]
        error = weight - own.weight  # type: ignore[operator]
        add_to_bias(named[name], -input_response(error, own, expected))


def _expected_input(work: Work, chain: Chain, mean: Tensor, std: Tensor) -> Tensor | None:
    """``E[x]`` of each channel; None if a maximum over positions changes the distribution."""
    if chain.pools:
        return None
    if chain.activation == "none":
        return mean
    if chain.activation == "relu":
        return clipped_normal_mean(mean, std, torch.full_like(mean, math.inf))
    limit = torch.full_like(mean, RELU6_LIMIT)
    if chain.activation == "clip":
        limit = work.float_net.get_submodule(str(chain.limiter)).limit  # type: ignore[assignment]
    return clipped_normal_mean(mean, std, limit)


def clipped_normal_mean(mean: Tensor, std: Tensor, high: Tensor) -> Tensor:
    """Mean of a normal variable that is clipped to ``0 .. high`` (appendix C).

    With ``a = -mean / std`` and ``b = (high - mean) / std``,

        std (phi(a) - phi(b)) + mean (Phi(b) - Phi(a)) + high (1 - Phi(b)).

    Args:
        mean: Of the variable.
        std: Of the variable, 0 or more.
        high: Upper limit, above 0, or infinity.

    Example:
        >>> one = torch.ones(1)
        >>> round(float(clipped_normal_mean(0 * one, one, torch.inf * one)), 4)  # 1 / sqrt(2 pi)
        0.3989
    """
    safe = std.clamp(min=1e-12)
    a, b = -mean / safe, (high - mean) / safe
    density_a, density_b = (torch.exp(-0.5 * x.square()) / math.sqrt(2 * math.pi) for x in (a, b))
    below_a, below_b = torch.special.ndtr(a), torch.special.ndtr(b)
    above = torch.where(torch.isinf(high), torch.zeros_like(mean), high * (1 - below_b))
    return std * (density_a - density_b) + mean * (below_b - below_a) + above
