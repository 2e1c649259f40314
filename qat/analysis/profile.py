"""Cost and quantization error of each layer of a network: ``qat.profile``."""

from dataclasses import dataclass

from torch import Tensor, nn

from qat.analysis.layers import layer_sqnr
from qat.convert.rules import plan_of
from qat.convert.swap import to_float
from qat.cost.macs import layer_costs


@dataclass(frozen=True)
class LayerProfile:
    """One layer. SQNR is the signal-to-quantization-noise ratio.

    Attributes:
        name: Module name.
        weight_bits: Stored width of a weight; 32 for a float layer.
        act_bits: Width of its input; 32 if that is float.
        macs: Multiply-accumulates for one image.
        bops: Bit operations for one image.
        weight_bytes: Bytes of the weights at their width.
        weight_sqnr_db: SQNR of the weight in dB; None if it is float.
        act_sqnr_db: SQNR of the input in dB, for the example; None if it is float.
        output_sqnr_db: SQNR of the output in dB against the float network's output; None for a
            float layer.

    Example:
        >>> LayerProfile("fc", 4, 8, macs=12, bops=384, weight_bytes=6, weight_sqnr_db=20.0,
        ...              act_sqnr_db=40.0, output_sqnr_db=19.9).bops
        384
    """

    name: str
    weight_bits: int
    act_bits: int
    macs: int
    bops: int
    weight_bytes: int
    weight_sqnr_db: float | None
    act_sqnr_db: float | None
    output_sqnr_db: float | None


def profile(qnet: nn.Module, example: Tensor) -> list[LayerProfile]:
    """Return a row for each convolution and linear layer, in order of first call.

    Args:
        qnet: A quantized, calibrated network.
        example: Preprocessed images.

    Raises:
        ValueError: If a tensor holds NaN or infinity.

    Example:
        >>> import torch
        >>> from qat import Scheme, calibrate, make_plan, quantize
        >>> net, images = nn.Sequential(nn.Linear(4, 3)), torch.ones(2, 4)
        >>> qnet = quantize(net, make_plan(net, Scheme(), images))
        >>> calibrate(qnet, [images])
        >>> [(row.name, row.macs, row.bops) for row in profile(qnet, images)]
        [('0', 12, 768)]
    """
    kept = {row.name: row for row in layer_sqnr(to_float(qnet), qnet, example)}
    rows = []
    for cost in layer_costs(qnet, plan_of(qnet), example):
        sqnr = kept.get(cost.name)
        rows.append(
            LayerProfile(
                name=cost.name,
                weight_bits=cost.weight_bits,
                act_bits=cost.act_bits,
                macs=cost.macs,
                bops=cost.bops,
                weight_bytes=cost.weight_bytes,
                weight_sqnr_db=sqnr.weight_db if sqnr else None,
                act_sqnr_db=sqnr.act_db if sqnr else None,
                output_sqnr_db=sqnr.output_db if sqnr else None,
            )
        )
    return rows
