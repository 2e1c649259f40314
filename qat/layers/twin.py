"""Base class of the quantized twins of convolutions and linear layers."""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from qat.base.errors import InputError, QatError
from qat.core.layout import Layout
from qat.core.plan import LayerPlan
from qat.core.scheme import TensorSpec
from qat.layers.bias import bias_codes, fake_round, least_weight_scale, saturated
from qat.layers.norm import folded
from qat.layers.tensor import QuantTensor
from qat.quantizers.base import Quantizer
from qat.quantizers.mx import MXQuantizer
from qat.quantizers.registry import make_quantizer


class QuantTwin(nn.Module):
    """A float layer with quantizers on its weight, its input and, if planned, its output.

    The twin is a subclass of the float layer and has the same parameters under the same names, so
    that a float state dict fits it. With all quantizers off both compute equal results.

    In placement ``integer`` the twin also contains the batch norm after it, and its bias has
    integer codes of scale ``s_x * s_w`` (Jacob et al. 2018, arXiv:1712.05877, Eq. 11).

    Attributes:
        plan: How the layer is quantized.
        norm: The batch norm that is folded in at each use, while training changes it; else None.
        source: The quantized tensor that is the input, whose scale is part of the bias scale;
            empty in placement ``academic``.
        weight_quantizer: Quantizes ``weight``; the identity if the weight stays float.
        input_quantizer: Quantizes the input; the identity if it stays float.
        output_quantizer: Quantizes the output; the identity except on the last layer of a network.
    """

    weight: Tensor
    bias: Tensor | None
    weight_quantizer: nn.Module
    input_quantizer: nn.Module
    output_quantizer: nn.Module
    channel_axis = 1  # of an activation
    in_channels_name: str  # attribute of the float layer: number of input channels
    out_channels_name: str
    plan: LayerPlan
    quantized_leaf: str  # kind of operation in qat.graph.operations
    norm: nn.Module | None
    source: tuple[QuantTensor, ...] = ()  # in a tuple, so that it is not registered twice

    @classmethod
    def from_float(cls, layer: nn.Module, plan: LayerPlan) -> Self:
        """The twin of a layer, which shares its parameters (they are not copied).

        Args:
            layer: The float layer.
            plan: How to quantize it.

        Raises:
            InputError: If the plan does not fit the layer; the message names the layer.
        """
        twin = cls._empty_like(layer)
        twin.weight = layer.weight  # type: ignore[assignment]
        twin.bias = layer.bias  # type: ignore[assignment]
        try:
            twin._attach(plan)
        except QatError as error:
            raise InputError(f"layer {plan.name!r}: {error}") from error
        twin.train(layer.training)  # its quantizers too: in training mode they follow the data
        return twin.to(layer.weight.device)  # type: ignore[arg-type]

    @classmethod
    def _empty_like(cls, layer: nn.Module) -> Self:
        raise NotImplementedError

    def _attach(self, plan: LayerPlan) -> None:
        self.plan = plan
        self.norm = None
        spec = plan.weight
        layout = Layout()
        if not spec.is_off:
            layout = Layout.of_weight(spec.granularity, tuple(self.weight.shape), spec.group_size)
        self.weight_quantizer = make_quantizer(spec, layout)
        self.input_quantizer = self._on_activation(plan.act, self.in_channels_name)
        self.output_quantizer = nn.Identity()
        if plan.output is not None:
            self.output_quantizer = self._on_activation(plan.output, self.out_channels_name)

    def _on_activation(self, spec: TensorSpec, channels_name: str) -> nn.Module:
        layout = Layout.of_activation(spec.granularity, getattr(self, channels_name))
        quantizer = make_quantizer(spec, layout)
        if isinstance(quantizer, MXQuantizer):
            quantizer.axis = self.channel_axis
        return quantizer

    def to_float(self) -> nn.Module:
        """A float layer that shares the (unquantized) parameters.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def folded(self) -> tuple[Tensor, Tensor | None]:
        """Weight and bias with the batch norm folded in, not quantized."""
        if self.norm is None:
            return self.weight, self.bias
        return folded(self.weight, self.bias, self.norm)

    def quantized(self) -> tuple[Tensor, Tensor | None]:
        """Quantized weight and bias, with which the layer computes in float."""
        weight, bias = self.folded()
        if self.training:  # the last training step has changed scales and biases
            self._hold_scale(bias)
        rounded = self.weight_quantizer(weight)
        step = self.bias_step()
        if bias is None or step is None:
            return rounded, bias
        return rounded, fake_round(bias, step)

    def product(self, compute: Callable[..., Tensor], x: Tensor) -> Tensor:
        """``compute(x, weight, bias)`` with rounded weight and bias, in one of two ways.

        The way depends on PyTorch's gradient mode. With gradients enabled (training), and
        wherever the bias has no integer codes, rounded floats are multiplied: codes have no
        gradient. Under ``torch.no_grad()`` or ``torch.inference_mode()`` (evaluation), a layer
        in placement ``integer`` computes on codes, see :meth:`product_of_codes`. Both results are
        equal up to the rounding of float sums.

        Args:
            compute: The float layer's operation, linear in its arguments.
            x: The quantized input.
        """
        step = self.bias_step()
        if step is None or torch.is_grad_enabled():
            return compute(x, *self.quantized())
        return self.product_of_codes(compute, x, step)

    def product_of_codes(self, compute: Callable[..., Tensor], x: Tensor, step: Tensor) -> Tensor:
        """``step * compute(x / s_x, weight codes, bias codes)``, without gradients.

        Codes and their sums are whole numbers, which float32 represents exactly below 2^24, so
        the result does not depend on the order of summation. Mixed precision has no effect here.

        Args:
            compute: The float layer's operation, linear in its arguments.
            x: The quantized input.
            step: Scale of the bias codes, :meth:`bias_step`.
        """
        weight, bias = self.folded()
        codes = self.weight_quantizer.encode(weight)  # type: ignore[operator]
        own = self.weight_quantizer.qparams()  # type: ignore[operator]
        centred = codes - own.layout.beside(own.zero_point, codes)
        inputs = torch.round(x / self.source[0].quantizer.qparams().scale)  # type: ignore[operator]
        dtype = inputs.dtype
        whole_bias = None if bias is None else bias_codes(bias, step).to(dtype)
        with torch.autocast(x.device.type, enabled=False):
            sums = compute(inputs, centred.to(dtype), whole_bias)
        return sums * step.reshape(-1, *[1] * (weight.ndim - 2)).to(dtype)

    @torch.no_grad()
    def fit_bias(self) -> None:
        """Raise weight scales so that the bias codes fit 32 bits, see :mod:`qat.layers.bias`.

        Training does this at each step without changing learned steps; this method changes them.
        """
        if self._hold_scale(self.folded()[1]):
            own = self.weight_quantizer.qparams()  # type: ignore[operator]
            self.weight_quantizer.set_qparams(own.scale, own.zero_point)  # type: ignore[operator]

    @torch.no_grad()
    def _hold_scale(self, bias: Tensor | None) -> bool:
        """Limit the weight scale so that the bias fits; False if the bias has no codes."""
        if bias is None or self.bias_step() is None:
            return False
        quantizer: Quantizer = self.weight_quantizer  # type: ignore[assignment]
        input_scale = self.source[0].quantizer.qparams().scale  # type: ignore[operator]
        quantizer.hold_scale(least_weight_scale(bias, input_scale, quantizer.qparams().scale))
        return True

    def saturated_biases(self) -> int:
        """Number of elements of the bias whose codes do not fit 32 bits and saturate."""
        bias, step = self.folded()[1], self.bias_step()
        return 0 if bias is None or step is None else saturated(bias, step)

    def bias_step(self) -> Tensor | None:
        """Scale of the integer codes of the bias, ``(1,)`` or ``(out,)``; None if it stays float.

        It stays float in placement ``academic``, while the quantizer of weight or input does not
        round, and if one of them has a codebook, whose products have no common step.
        """
        if not self.source:
            return None
        act, weight = self.source[0].quantizer, self.weight_quantizer
        if not isinstance(act, Quantizer) or not isinstance(weight, Quantizer):
            return None
        if not (act.is_rounding and weight.is_rounding):
            return None
        if act.codebook() is not None or weight.codebook() is not None:
            return None
        return act.qparams().scale * weight.qparams().scale.reshape(-1)

    def follow_statistics(self, y: Tensor) -> None:
        """Update the statistics of the folded batch norm by ``y``, the output without it."""
        assert self.norm is not None
        with torch.no_grad():
            self.norm(y)

    @property
    def follows(self) -> bool:
        """True while training updates the statistics of the folded batch norm."""
        return self.norm is not None and self.training and self.norm.training

    @torch.no_grad()
    def fold(self) -> None:
        """Fold the batch norm into weight and bias permanently."""
        if self.norm is None:
            return
        weight, bias = self.folded()
        self.weight = nn.Parameter(weight.detach())  # type: ignore[assignment]
        self.bias = nn.Parameter(bias.detach())  # type: ignore[union-attr, assignment]
        self.norm = None
