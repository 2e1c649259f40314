"""Quantized twin of a linear layer."""

from typing import Self

from torch import Tensor, nn
from torch.nn import functional as F

from qat.layers.twin import QuantTwin


class QuantLinear(QuantTwin, nn.Linear):  # type: ignore[misc]  # torch infers: never None
    """``y = q_out(q_in(x) @ q_w(weight).T + bias)``, shapes as :class:`torch.nn.Linear`.

    Example:
        >>> import torch
        >>> from qat.core.plan import LayerPlan
        >>> from qat.core.scheme import TensorSpec
        >>> layer = nn.Linear(2, 1, bias=False)
        >>> layer.weight.data = torch.tensor([[0.6, -2.4]])
        >>> plan = LayerPlan("fc", "Linear", TensorSpec(bits=4, signed=True), TensorSpec(bits=32))
        >>> twin = QuantLinear.from_float(layer, plan).eval()
        >>> twin.weight_quantizer.set_range(-7, 7)
        >>> twin(torch.tensor([[1.0, 10.0]])).tolist()  # 1 * 1 + 10 * (-2)
        [[-19.0]]
    """

    channel_axis = -1
    in_channels_name = "in_features"
    out_channels_name = "out_features"
    quantized_leaf = "linear"

    @classmethod
    def _empty_like(cls, layer: nn.Module) -> Self:
        assert isinstance(layer, nn.Linear)
        bias = layer.bias is not None
        return cls(layer.in_features, layer.out_features, bias=bias, device="meta")

    def forward(self, input: Tensor, rounded: bool = False, weight: Tensor | None = None) -> Tensor:
        """Quantize input and weight, multiply, and quantize the output if the plan says so.

        Args:
            input: Input of the layer.
            rounded: The input is quantized already.
            weight: The quantized weight; None quantizes it now.
        """
        if self.follows:
            self.follow_statistics(F.linear(input.detach(), self.weight, self.bias))
        x = input if rounded else self.input_quantizer(input)
        y = self.product(F.linear, x) if weight is None else F.linear(x, weight, self.bias)
        return self.output_quantizer(y)  # type: ignore[no-any-return]

    def to_float(self) -> nn.Linear:
        """A float layer that shares the (unquantized) parameters."""
        bias = self.bias is not None
        plain = nn.Linear(self.in_features, self.out_features, bias=bias, device="meta")
        plain.weight, plain.bias = self.weight, self.bias  # type: ignore[assignment]
        return plain
