"""Quantization of a tensor between two layers."""

from torch import Tensor, nn

from qat.core.layout import Layout
from qat.core.plan import TensorPlan
from qat.quantizers.registry import make_quantizer


class QuantTensor(nn.Module):
    """Quantizes the output of an operation, where an integer runtime stores the tensor.

    Args:
        plan: Name of the tensor, and how it is quantized.

    Attributes:
        plan: The same.
        quantizer: Has one scale for the whole tensor.

    Example:
        >>> import torch
        >>> from qat.core.scheme import TensorSpec
        >>> tensor = QuantTensor(TensorPlan("add", "add", TensorSpec(bits=4, signed=True))).eval()
        >>> tensor.quantizer.set_range(-7, 7)
        >>> tensor(torch.tensor([0.4, 99.0])).tolist()
        [0.0, 7.0]
    """

    quantized_leaf = "tensor"  # qat.graph.trace does not trace into it

    def __init__(self, plan: TensorPlan) -> None:
        super().__init__()
        self.plan = plan
        self.quantizer = make_quantizer(plan.spec, Layout())

    def forward(self, x: Tensor, rounded: bool = False) -> Tensor:
        """Observe ``x``, round it, or return it unchanged, depending on the quantizer's phase.

        Args:
            x: The tensor.
            rounded: It is quantized already, and returned unchanged.
        """
        return x if rounded else self.quantizer(x)
