"""A tensor between two layers, rounded to its codes."""

from torch import Tensor, nn

from qat.core.layout import Layout
from qat.core.plan import TensorPlan
from qat.quantizers.registry import make_quantizer


class QuantTensor(nn.Module):
    """Stands behind an operation whose output an integer runtime stores.

    Attributes:
        plan: Its name, and how it is quantized.
        quantizer: One scale for the whole tensor.
    """

    quantized_leaf = "tensor"  # qat.graph.trace keeps it whole

    def __init__(self, plan: TensorPlan) -> None:
        super().__init__()
        self.plan = plan
        self.quantizer = make_quantizer(plan.spec, Layout())

    def forward(self, x: Tensor) -> Tensor:
        """Observe, round, or pass through, as the quantizer's phase says."""
        return self.quantizer(x)  # type: ignore[no-any-return]
