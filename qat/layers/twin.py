"""What the quantized twins of conv and linear layers share."""

from typing import Self

from torch import Tensor, nn

from qat.core.layout import Layout
from qat.core.plan import LayerPlan
from qat.core.scheme import TensorSpec
from qat.quantizers.registry import make_quantizer


class QuantTwin(nn.Module):
    """A float layer with a quantizer on its weight, on its input and maybe on its output.

    The twin is a subclass of the float layer and keeps its parameters under the same names, so a
    float state dict fits it. With every quantizer off it computes the very same function.

    Attributes:
        weight_quantizer: On ``weight``; the identity if the plan leaves the weight float.
        input_quantizer: On the input.
        output_quantizer: On the output; the identity but on a net's last layer.
    """

    weight: Tensor
    bias: Tensor | None
    weight_quantizer: nn.Module
    input_quantizer: nn.Module
    output_quantizer: nn.Module
    in_channels_name: str  # the float layer's attribute that counts input channels
    out_channels_name: str
    plan: LayerPlan

    @classmethod
    def from_float(cls, layer: nn.Module, plan: LayerPlan) -> Self:
        """A twin that takes over the layer's parameters themselves (they are not copied).

        Raises:
            ValueError: If the plan asks for what the layer cannot have; the layer is named.
        """
        twin = cls._empty_like(layer)
        twin.weight = layer.weight  # type: ignore[assignment]
        twin.bias = layer.bias  # type: ignore[assignment]
        try:
            twin._attach(plan)
        except (ValueError, KeyError) as error:
            reason = error.args[0] if error.args else error
            raise ValueError(f"layer {plan.name!r}: {reason}") from error
        twin.train(layer.training)  # its quantizers too: one that trains follows what it sees
        return twin.to(layer.weight.device)  # type: ignore[arg-type]

    @classmethod
    def _empty_like(cls, layer: nn.Module) -> Self:
        raise NotImplementedError

    def _attach(self, plan: LayerPlan) -> None:
        self.plan = plan
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
        return make_quantizer(spec, layout)

    def to_float(self) -> nn.Module:
        """A plain layer with the same (unquantized) parameters."""
        raise NotImplementedError

    def quantized_weight(self) -> Tensor:
        """The weight the layer computes with."""
        return self.weight_quantizer(self.weight)  # type: ignore[no-any-return]
