"""``qat.compare_layers``: a quantized network beside its float network, as a DataFrame."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from qat.analysis.compare import compared_rows
from qat.base.errors import InputError
from qat.convert.rules import plan_of
from qat.notebook.frames import tensor_frame

if TYPE_CHECKING:
    import pandas as pd


def compare_layers(
    net: nn.Module, qnet: nn.Module, images: Tensor | Iterable[Any]
) -> "pd.DataFrame":
    """Signal-to-quantization-noise ratio (SQNR), clipping and code use of each tensor.

    There is a row for the weight, the input (``act``) and the output of each quantized layer, and
    for each tensor between layers of an integer network. The columns are the attributes of
    :class:`qat.analysis.rows.TensorRow`: ``sqnr_db``; ``clipped``, the share of values outside the
    range; ``used_codes``, the share of the codes that occur; ``alone_db``, the SQNR of an output if
    only this layer is quantized; and others. A run has the same rows: :func:`qat.layers`. The
    weights in a network from a packed file are rounded already and lose nothing.

    Args:
        net: The float network.
        qnet: Its quantized version, calibrated.
        images: Preprocessed images, on the device of both networks: a batch, or several. A batch
            may be a pair of images and labels.

    Raises:
        ValueError: If there are no images, or a tensor holds NaN or infinity.

    Example:
        >>> import torch
        >>> import qat
        >>> net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
        >>> images = torch.rand(4, 1, 2, 2)
        >>> qnet = qat.quantize(net, qat.make_plan(net, qat.Scheme(), images))
        >>> qat.calibrate(qnet, [images])
        >>> frame = qat.compare_layers(net, qnet, images)
        >>> frame[["name", "slot"]].to_records(index=False).tolist()[:3]
        [('0', 'weight'), ('0', 'act'), ('0', 'output')]
    """
    batches = [images] if isinstance(images, Tensor) else [_images(batch) for batch in images]
    if not batches:
        raise InputError("no images to compare the networks on: give a batch, or several")
    return tensor_frame(compared_rows(net, qnet, plan_of(qnet), lambda: batches))


def _images(batch: Any) -> Tensor:
    first: Tensor = batch if isinstance(batch, Tensor) else batch[0]
    return first
