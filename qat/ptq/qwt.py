"""QwT: a closed-form linear compensation of what quantization did to each layer's output.

Fu, Yu, Shao, Zhou, Zhu & Wu, "Quantization without Tears", CVPR 2025, arXiv:2411.13918, adds a
linear layer behind each block of the quantized network, fitted to the float network's outputs by
least squares. Its successor by Tang, Fu, Yu & Wu, "QwT-v2", arXiv:2505.20932, fits one factor and
one shift for each output channel, on the quantized output ``y~`` itself:

    a, b = argmin ||a y~ + b - y||^2,    a = cov(y~, y) / var(y~),    b = mean(y) - a mean(y~).

This step computes the map of QwT-v2, for each layer before its activation, because it is exact
without a new layer: ``a`` multiplies the weight scale of the channel and the bias, ``b`` is added
to the bias. Codes, packed file, ONNX graph and integer runtimes keep their form, in both
placements. The dense map of the first paper needs a float layer that an integer runtime does not
have; it is not offered.

Differs from QwT-v2: after each layer, not each block; layers are compensated in execution order,
each with the compensated inputs of the layers before it. With one scale for the whole tensor there
is one factor, of least error over all channels. Scales that must be powers of two, and codebooks,
which have no scale, keep ``a = 1``. A factor outside of 1/4 .. 4 is limited to it; a layer whose
output is quantized is fitted before that.

Cites: fu2025qwt, tang2025qwtv2.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from qat.ptq.held import add_to_bias, hold
from qat.ptq.layer_matrix import IMAGES_AT_ONCE
from qat.ptq.layers import Layer
from qat.ptq.step import LayerStep
from qat.quantizers.base import Quantizer

FACTORS = (0.25, 4.0)


class QwT(LayerStep):
    """Fit a factor and a shift to each output channel, and fold them into scale and bias."""

    @torch.no_grad()
    def change_layer(self, layer: Layer) -> None:
        """Compensate the output of one layer."""
        quantizer = layer.twin.weight_quantizer
        assert isinstance(quantizer, Quantizer)
        seen = OutputMoments.of(_outputs(layer))
        factor = _factors(quantizer, seen)
        shift = seen.float_mean - factor * seen.mean
        if bool((factor != 1).any()):
            _scale_weight(layer, quantizer, factor)
        add_to_bias(layer.twin, shift + (factor - 1) * _bias(layer, shift))
        layer.twin.fit_bias()


@dataclass(frozen=True)
class OutputMoments:
    """Moments of the quantized output ``y~`` and the float output ``y`` of each channel, double.

    Attributes:
        mean: Mean of ``y~``, ``(out,)``.
        float_mean: Mean of ``y``.
        variance: Variance of ``y~``.
        covariance: Covariance of both.
    """

    mean: Tensor
    float_mean: Tensor
    variance: Tensor
    covariance: Tensor

    @classmethod
    def of(cls, pairs: Iterator[tuple[Tensor, Tensor]]) -> "OutputMoments":
        """The moments of pairs of outputs, each ``(out, values)``.

        Differences from the means of the first pair are summed, so that a large mean does not
        cancel the variance.
        """
        count, sums, start = 0, torch.zeros(()), None
        for pair in pairs:
            rows = torch.stack(pair).double()
            start = rows.mean(dim=2, keepdim=True) if start is None else start
            y, z = own = rows - start
            added = torch.stack([*own.sum(dim=2), (y * y).sum(dim=1), (y * z).sum(dim=1)])
            sums, count = sums.to(added.device) + added, count + rows.shape[2]
        assert start is not None, "there are no outputs"
        mean, float_mean, square, product = sums / count
        first, second = start.squeeze(2)
        variance, covariance = square - mean * mean, product - mean * float_mean
        return cls(first + mean, second + float_mean, variance, covariance)


def _outputs(layer: Layer) -> Iterator[tuple[Tensor, Tensor]]:
    """Outputs of the quantized and of the float layer, channels first, batch by batch."""
    twin, device = layer.twin, layer.twin.weight.device
    quantizer, twin.output_quantizer = twin.output_quantizer, torch.nn.Identity()
    channels = -1 if isinstance(twin, torch.nn.Linear) else 1
    parts = (each.split(IMAGES_AT_ONCE) for each in (layer.inputs, layer.float_outputs))
    try:
        for x, y in zip(*parts, strict=True):
            own = twin(x.to(device), rounded=True)
            yield own.movedim(channels, 0).flatten(1), y.to(device).movedim(channels, 0).flatten(1)
    finally:
        twin.output_quantizer = quantizer


def _factors(quantizer: Quantizer, seen: OutputMoments) -> Tensor:
    """The factor of each channel, ``(out,)``."""
    ones = torch.ones_like(seen.mean)
    if quantizer.codebook() is not None or quantizer.spec.scale != "free":
        return ones
    variance, covariance = seen.variance, seen.covariance
    if quantizer.layout.axis is None:
        variance, covariance = variance.sum().expand_as(ones), covariance.sum().expand_as(ones)
    safe = torch.where(variance > 0, variance, 1.0)
    return torch.where(variance > 0, covariance / safe, ones).clamp(*FACTORS)


def _scale_weight(layer: Layer, quantizer: Quantizer, factor: Tensor) -> None:
    """Multiply the scales of a weight; its codes stay."""
    own, codes = quantizer.qparams(), quantizer.encode(layer.twin.folded()[0])
    per_scale = factor[:1] if own.layout.axis is None else factor
    shape = (-1, *[1] * (own.scale.ndim - 1))
    scale = own.scale * per_scale.reshape(shape).to(own.scale.dtype)
    quantizer.set_qparams(scale, own.zero_point)
    hold(layer.twin, codes)


def _bias(layer: Layer, like: Tensor) -> Tensor:
    """The bias with batch norm folded in; zero if there is none."""
    bias = layer.twin.folded()[1]
    return torch.zeros_like(like) if bias is None else bias.detach().to(like.dtype)
