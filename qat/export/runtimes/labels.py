"""Labels for quantized layers, by the nodes that a runtime executes for them."""

from collections.abc import Collection, Sequence

from qat.base.errors import UnknownNameError
from qat.export.runtimes.base import RuntimeNode

HALF = "half"
"""Name of a float16 network among the exported networks."""
SIZE_ONLY = "simulated in float by the runtime: size only"
HALF_SIMULATED = "float16 simulated in float by the runtime: size only"
# Operators for convolutions and linear layers, as both runtimes name them.
_PRODUCTS = {
    *("Conv", "FusedConv", "NhwcFusedConv", "QLinearConv", "ConvInteger"),
    *("Gemm", "FusedGemm", "QGemm", "MatMul", "FusedMatMul", "QLinearMatMul", "MatMulNBits"),
    *("MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"),
    *("Convolution", "FullyConnected"),
}


def float_layers(nodes: Sequence[RuntimeNode], layers: Collection[str]) -> tuple[str, ...]:
    """The convolutions and linear layers that the runtime computes in float.

    Args:
        nodes: Nodes that the runtime executes.
        layers: Names of convolutions and linear layers.

    Raises:
        KeyError: If the runtime computes no such layer.

    Example:
        >>> nodes = [RuntimeNode("a", "QLinearConv", True, "conv1")]
        >>> nodes += [RuntimeNode("b", "Gemm", False, "fc")]
        >>> float_layers(nodes, ["conv1", "fc"])
        ('fc',)
    """
    integer: dict[str | None, bool] = {}
    for node in nodes:
        if node.op in _PRODUCTS:
            integer[node.layer] = integer.get(node.layer, True) and node.integer
    missing = [layer for layer in layers if layer not in integer]
    if missing:
        known = ", ".join(str(layer) for layer in integer)
        raise UnknownNameError(f"the runtime computes no layer {missing[0]}; it has {known}")
    return tuple(layer for layer in layers if not integer[layer])


def float16_products(nodes: Sequence[RuntimeNode]) -> tuple[int, int]:
    """Convolutions and linear layers that compute on float16.

    A runtime without float16 kernels casts to float32 and back, or casts the weights at loading.

    Returns:
        Number of these layers, and number of all convolutions and linear layers.
    """
    products = [node for node in nodes if node.op in _PRODUCTS]
    return sum(node.half for node in products), len(products)


def label(nodes: Sequence[RuntimeNode], layers: Collection[str]) -> str | None:
    """:data:`SIZE_ONLY` if a layer is computed in float, None if all are computed on integers.

    With the layers of one width, the result shows whether the runtime has a kernel for this width.

    Args:
        nodes: Nodes that the runtime executes.
        layers: Names of convolutions and linear layers.

    Raises:
        KeyError: If the runtime computes no such layer.
    """
    return SIZE_ONLY if float_layers(nodes, layers) else None
