"""Quantized twins of 1-d and 2-d convolutions, including grouped and depthwise ones."""

from typing import Any, Self

from torch import Tensor, nn

from qat.layers.twin import QuantTwin


def _arguments(layer: nn.Module) -> dict[str, Any]:
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation")
    arguments = {name: getattr(layer, name) for name in (*names, "groups", "padding_mode")}
    return {**arguments, "bias": layer.bias is not None, "device": "meta"}


class _QuantConv(QuantTwin):
    """Common part of the twins; the class of the float layer computes the convolution."""

    in_channels_name = "in_channels"
    out_channels_name = "out_channels"
    quantized_leaf = "conv"
    float_class: type[nn.Module]

    @classmethod
    def _empty_like(cls, layer: nn.Module) -> Self:
        return cls(**_arguments(layer))

    def forward(self, input: Tensor, rounded: bool = False, weight: Tensor | None = None) -> Tensor:
        """Quantize input and weight, convolve, and quantize the output if the plan says so.

        Args:
            input: Input of the layer.
            rounded: The input is quantized already.
            weight: The quantized weight; None quantizes it now.
        """
        convolve: Any = self._conv_forward
        if self.follows:
            self.follow_statistics(convolve(input.detach(), self.weight, self.bias))
        x = input if rounded else self.input_quantizer(input)
        y = self.product(convolve, x) if weight is None else convolve(x, weight, self.bias)
        return self.output_quantizer(y)  # type: ignore[no-any-return]

    def to_float(self) -> nn.Module:
        """A float layer that shares the (unquantized) parameters."""
        plain: Any = self.float_class(**_arguments(self))
        plain.weight, plain.bias = self.weight, self.bias
        return plain  # type: ignore[no-any-return]


class QuantConv1d(_QuantConv, nn.Conv1d):
    """``y = q_out(conv1d(q_in(x), q_w(weight)) + bias)``, shapes as :class:`torch.nn.Conv1d`."""

    float_class = nn.Conv1d


class QuantConv2d(_QuantConv, nn.Conv2d):
    """``y = q_out(conv2d(q_in(x), q_w(weight)) + bias)``, shapes as :class:`torch.nn.Conv2d`.

    Example:
        >>> from qat.core.plan import LayerPlan
        >>> from qat.core.scheme import TensorSpec
        >>> plan = LayerPlan("it", "Conv2d", TensorSpec(bits=4, signed=True), TensorSpec(bits=32))
        >>> twin = QuantConv2d.from_float(nn.Conv2d(3, 8, 3), plan)
        >>> twin.weight_quantizer.set_range(-0.7, 0.7)
        >>> len(twin.quantized()[0].unique()) <= 16
        True
    """

    float_class = nn.Conv2d
