"""A quantized network beside its float network, tensor by tensor."""

from collections.abc import Callable, Iterable

from torch import Tensor, nn

from qat.analysis.alone import with_alone
from qat.analysis.layers import tensor_rows
from qat.analysis.rows import TensorRow
from qat.convert.swap import quantize, to_float
from qat.core.plan import Plan


def compared_rows(
    net: nn.Module,
    qnet: nn.Module,
    plan: Plan,
    images: Callable[[], Iterable[Tensor]],
    memory_limit_bytes: int | None = None,
) -> list[TensorRow]:
    """Return a row for each tensor, with the error of each layer by itself (``alone_db``).

    Args:
        net: The float network.
        qnet: Its quantized version, calibrated.
        plan: The plan of the quantized version.
        images: Gives the batches of preprocessed images, on the device of both networks; it is
            called twice.
        memory_limit_bytes: See :func:`qat.analysis.layers.tensor_rows`.

    Raises:
        ValueError: If a tensor holds NaN or infinity.
    """
    counterpart = _counterpart(net, plan)
    rows = tensor_rows(counterpart, qnet, images(), memory_limit_bytes)
    return with_alone(rows, counterpart, qnet, images())


def _counterpart(net: nn.Module, plan: Plan) -> nn.Module:
    """Return the float network; in placement integer with batch norm folded, as in the other one.

    It is converted anew from the float network: training has changed the quantized one.
    """
    return to_float(quantize(net, plan)) if plan.tensors else net
