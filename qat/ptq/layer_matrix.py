"""A layer as matrices: its weight, the values the weight may take, and its inputs in batches."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from qat.ptq.layers import Layer
from qat.ptq.weight_grid import WeightGrid, grid_of, matrices
from qat.quantizers.base import Quantizer

IMAGES_AT_ONCE = 16


@dataclass(frozen=True)
class LayerMatrix:
    """The matrices of a layer.

    Attributes:
        weight: ``(groups, out, k)``, double, before rounding.
        grid: The values that each element may take.
        like: The weight as the layer has it.
    """

    weight: Tensor
    grid: WeightGrid
    like: Tensor

    @classmethod
    def of(cls, layer: Layer) -> "LayerMatrix":
        """The matrices of a layer with rounded weights."""
        quantizer, weight = layer.twin.weight_quantizer, layer.twin.folded()[0].detach()
        assert isinstance(quantizer, Quantizer)
        groups = int(getattr(layer.twin, "groups", 1))
        return cls(matrices(weight, groups), grid_of(quantizer, weight, groups), weight)

    def batches(self, inputs: Tensor) -> Iterator[Tensor]:
        """Inputs of all images, in parts, on the device of the weight."""
        for part in inputs.split(IMAGES_AT_ONCE):
            yield part.to(self.like.device)

    def codes(self, codes: Tensor) -> Tensor:
        """Codes ``(groups, out, k)`` in the shape of the weight, int32."""
        return codes.round().int().reshape(self.like.shape)
