"""The tensors that a run's TensorBoard page shows."""

from torch import Tensor, nn

from qat.analysis.codes import layer_codes, worst_layers
from qat.analysis.layers import by_layer
from qat.layers.twin import QuantTwin
from qat.layers.walk import twins
from qat.run.finish import Outcome
from qat.run.prepared import Prepared
from qat.tracking.page_tensors import PageTensors

CODE_LAYERS = 6
"""Number of layers whose codes are drawn, the worst ones: each drawing takes time."""
CODE_IMAGES = 16


def page_tensors(prepared: Prepared, outcome: Outcome) -> PageTensors:
    """Weights before and after quantization, and codes of activations.

    Args:
        prepared: The run.
        outcome: Its networks and the effect of quantization on each tensor.

    Returns:
        Rows only, if there is no quantized network or ``tracking.histograms`` is off.
    """
    rows = by_layer(outcome.layers)
    if outcome.qnet is None or not prepared.tracking.histograms:
        return PageTensors(rows)
    images = next(prepared.images.first_test_images(CODE_IMAGES, prepared.images.at_once))
    codes = layer_codes(outcome.qnet, worst_layers(rows, CODE_LAYERS), images)
    return PageTensors(rows, _weights(outcome.net, outcome.qnet), codes)


def _weights(net: nn.Module, qnet: nn.Module) -> dict[str, tuple[Tensor, Tensor]]:
    """Layer → (float weight, weight that the quantized network computes with)."""
    return {
        name: (_float_weight(net, name, twin).detach(), twin.quantized()[0].detach())
        for name, twin in twins(qnet)
    }


def _float_weight(net: nn.Module, name: str, twin: QuantTwin) -> Tensor:
    if twin.source:  # an integer network's weights have batch norm folded in
        return twin.weight
    return net.get_submodule(name).weight  # type: ignore[return-value]
