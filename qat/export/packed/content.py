"""The content of a packed file: tensors by name, and which of them are codes."""

from typing import Any

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.core.codebook import Codebook
from qat.core.formats import BLOCK
from qat.core.network_tensors import own_state
from qat.core.packing import pack
from qat.layers.bias import bias_codes
from qat.layers.twin import QuantTwin
from qat.layers.walk import placed_quantizers, quantizer_keys, twins
from qat.quantizers.base import Quantizer
from qat.quantizers.cast import CastQuantizer
from qat.quantizers.dynamic import is_dynamic
from qat.quantizers.minifloat import MinifloatQuantizer
from qat.quantizers.mx import MXQuantizer

AFFINE, CODEBOOK, INT32 = "affine", "codebook", "int32"
"""Forms of codes: codes of an affine grid, indices into a codebook, int32 of scale ``s_x * s_w``.
"""
FLOAT, BLOCKS = "float", "blocks"
"""Further forms: bits of a low-bit float, the same with a scale (E8M0) for each block of values."""
EXPONENTS = "block_exponents"
"""Name of the scales of a weight's blocks, beside the weight."""

ZERO_POINT = ".zero_point"
"""End of the names of zero points."""
CODEBOOK_SCALE = "codebook_scale"
"""Name of the scales of a codebook whose unit levels all slices share."""

PackedLayout = dict[str, dict[str, Any]]


def packed_content(qnet: nn.Module) -> tuple[dict[str, Tensor], PackedLayout]:
    """All tensors of the file by name, and form and shape of those that are codes.

    Raises:
        ValueError: If a quantizer is not calibrated or has no usable scale, weights contain NaN,
            or a batch norm is not folded into its layer.
    """
    own = quantizer_keys(qnet)
    tensors = {k: t for k, t in own_state(qnet).items() if not k.startswith(own)}
    layout: PackedLayout = {}
    for path, _, slot, quantizer in placed_quantizers(qnet):
        tensors.update(_ranges(path, quantizer))
        ends = quantizer.thresholds() if slot != "weight" else None  # weights are codes already
        if ends is not None:
            tensors[f"{path}.thresholds"] = ends
    for name, twin in twins(qnet):
        if twin.norm is not None:
            raise InputError(f"batch norm of layer {name!r} is not folded: call fold_norms first")
        _add_weight(f"{name}.weight", twin, tensors, layout)
        _add_bias(f"{name}.bias", twin, tensors, layout)
    return {k: t.detach().cpu().contiguous().clone() for k, t in tensors.items()}, layout


def _add_weight(
    key: str, twin: QuantTwin, tensors: dict[str, Tensor], layout: PackedLayout
) -> None:
    quantizer = twin.weight_quantizer
    if isinstance(quantizer, CastQuantizer):
        tensors[key] = quantizer(twin.weight).detach().half()
    elif isinstance(quantizer, Quantizer):
        weight = twin.weight.detach()
        if isinstance(quantizer, MXQuantizer):
            codes, exponents = quantizer.encode_blocks(weight)
            tensors[exponents_key(key)] = exponents
        else:
            codes = quantizer.encode(weight)
        stream = pack(codes.cpu().numpy(), *quantizer.code_range())
        tensors[key] = torch.from_numpy(stream)
        layout[key] = {"form": form_of_codes(quantizer), "shape": list(twin.weight.shape)}


def _add_bias(key: str, twin: QuantTwin, tensors: dict[str, Tensor], layout: PackedLayout) -> None:
    step = twin.bias_step()
    if twin.bias is not None and step is not None:
        tensors[key] = bias_codes(twin.bias, step)
        layout[key] = {"form": INT32, "shape": list(twin.bias.shape)}


def form_of_codes(quantizer: Quantizer) -> str:
    """``affine``, ``codebook``, ``float`` or ``blocks``, as the layout names a weight's codes."""
    if isinstance(quantizer, MXQuantizer):
        return BLOCKS
    if isinstance(quantizer, MinifloatQuantizer):
        return FLOAT
    return AFFINE if quantizer.codebook() is None else CODEBOOK


def _ranges(prefix: str, quantizer: Quantizer) -> dict[str, Tensor]:
    """Tensors that define how a quantizer rounds; none if its ranges are dynamic."""
    if is_dynamic(quantizer):
        return {}
    if not bool(quantizer.calibrated):
        raise InputError(f"{quantizer.label} is not calibrated: calibrate before saving")
    if isinstance(quantizer, MinifloatQuantizer):
        return {f"{prefix}.scale": _usable(quantizer.scale, quantizer.label)}
    book = quantizer.codebook()
    if book is not None:
        return _tables(prefix, book)
    qparams = quantizer.qparams()
    ranges = {f"{prefix}.scale": _usable(qparams.scale, quantizer.label)}
    if not quantizer.spec.symmetric:
        ranges[f"{prefix}{ZERO_POINT}"] = qparams.zero_point.to(torch.int32)
    return ranges


def _tables(prefix: str, book: Codebook) -> dict[str, Tensor]:
    """The levels of each slice; unit levels and a scale of each slice where that is smaller."""
    if book.unit is None or book.scale is None:
        return {f"{prefix}.codebook": book.values}
    if book.unit.numel() + book.scale.numel() >= book.values.numel():
        return {f"{prefix}.codebook": book.values}
    return {f"{prefix}.codebook": book.unit, f"{prefix}.{CODEBOOK_SCALE}": book.scale}


def _usable(scale: Tensor, label: str) -> Tensor:
    if not bool((torch.isfinite(scale) & (scale > 0)).all()):
        raise InputError(
            f"{label} has a scale that is NaN, infinite or not positive: calibrate or "
            "train the network again"
        )
    return scale.contiguous()


def exponents_key(key: str) -> str:
    """Key of the scales of the blocks of a weight.

    Example:
        >>> exponents_key("conv1.weight")
        'conv1.weight_quantizer.block_exponents'
    """
    return f"{key.removesuffix('.weight')}.weight_quantizer.{EXPONENTS}"


def decoded_weight(quantizer: Quantizer, codes: Tensor, exponents: Tensor | None) -> Tensor:
    """The values of a weight's codes.

    Args:
        quantizer: Of the weight.
        codes: In the shape of the weight.
        exponents: Scales of its blocks, only in an MX format.

    Raises:
        InputError: If the scales of blocks are missing, or do not fit the weight.
    """
    if not isinstance(quantizer, MXQuantizer):
        return quantizer.decode(codes)
    shape = list(codes.shape)
    shape[quantizer.axis] = -(-shape[quantizer.axis] // BLOCK)
    if exponents is None or list(exponents.shape) != shape or exponents.dtype != torch.uint8:
        raise InputError(f"{quantizer.label} needs scales of blocks of shape {shape}, uint8")
    return quantizer.decode_blocks(codes, exponents.to(codes.device))
