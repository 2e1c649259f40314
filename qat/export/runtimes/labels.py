"""What may be said of a quantized layer after looking at what a runtime made of it."""

from collections.abc import Collection, Sequence

from qat.base.errors import UnknownNameError
from qat.export.runtimes.base import RuntimeNode

HALF = "half"
"""What a float16 network is called among the exported ones."""
SIZE_ONLY = "simulated in float by the runtime: size only"
HALF_SIMULATED = "float16 simulated in float by the runtime: size only"
# What convolutions and linear layers become, in either runtime's words.
_PRODUCTS = {
    *("Conv", "FusedConv", "NhwcFusedConv", "QLinearConv", "ConvInteger"),
    *("Gemm", "FusedGemm", "QGemm", "MatMul", "FusedMatMul", "QLinearMatMul", "MatMulNBits"),
    *("MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"),
    *("Convolution", "FullyConnected"),
}


def float_layers(nodes: Sequence[RuntimeNode], layers: Collection[str]) -> tuple[str, ...]:
    """Those of some convolutions and linear layers that the runtime computes in float.

    Raises:
        KeyError: If the runtime has no product of one of the layers.
    """
    integer: dict[str | None, bool] = {}
    for node in nodes:
        if node.op in _PRODUCTS:
            integer[node.layer] = integer.get(node.layer, True) and node.integer
    missing = [layer for layer in layers if layer not in integer]
    if missing:
        found = ", ".join(str(layer) for layer in integer)
        raise UnknownNameError(f"the runtime computes no layer {missing[0]}; it has {found}")
    return tuple(layer for layer in layers if not integer[layer])


def float16_products(nodes: Sequence[RuntimeNode]) -> tuple[int, int]:
    """How many of a network's convolutions and linear layers compute on float16, and of how many.

    A runtime without such kernels casts to float32 and back, or once ahead.
    """
    products = [node for node in nodes if node.op in _PRODUCTS]
    return sum(node.half for node in products), len(products)


def label(nodes: Sequence[RuntimeNode], layers: Collection[str]) -> str | None:
    """:data:`SIZE_ONLY` if any of these layers is computed in float, None if all run as integers.

    Give the layers of one width to learn whether the runtime has a kernel for it.

    Raises:
        KeyError: If the runtime has no product of one of the layers.
    """
    return SIZE_ONLY if float_layers(nodes, layers) else None
