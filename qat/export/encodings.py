"""The formats and ranges of a quantized network as encodings of AIMET.

The file has the version 0.6.1 with names of modules, as ``aimet_torch`` loads it: parameters by
name, ``input`` and ``output`` of each layer. An operation that is no module has the name that a
plan gives it (``layer1.0.add``).

    value = scale * (q + offset),  q = 0 .. 2^bits - 1,  offset = qmin - zero_point

https://quic.github.io/aimet-pages/releases/latest/techniques/encoding_spec.html
"""

import json
from pathlib import Path
from typing import Any

from torch import nn

from qat.base.atomic import write_atomic
from qat.convert.rules import plan_of
from qat.core.qparams import QParams
from qat.core.scheme import TensorSpec
from qat.export.errors import ExportError
from qat.layers.walk import TENSOR, quantizers
from qat.quantizers.base import Quantizer
from qat.quantizers.dynamic import is_dynamic

VERSION = "0.6.1"
_WAYS = {"act": "input", "output": "output", TENSOR: "output"}


def aimet_encodings(qnet: nn.Module) -> dict[str, Any]:
    """The encodings of a calibrated network, as plain data.

    Tensors between layers that share a quantizer have one encoding each.

    Args:
        qnet: A quantized network.

    Raises:
        ExportError: If a quantizer is not calibrated, or has no scale for the tensor or a channel.

    Example:
        >>> import torch, qat
        >>> net, images = nn.Sequential(nn.Linear(2, 1)), torch.ones(4, 2)
        >>> qnet = qat.quantize(net, qat.make_plan(net, qat.Scheme(), images))
        >>> qat.calibrate(qnet, [images])
        >>> encodings = aimet_encodings(qnet)
        >>> encodings["activation_encodings"]["0"]["input"]["0"]["offset"]
        0
    """
    parameters: dict[str, Any] = {}
    activations: dict[str, dict[str, Any]] = {}
    for name, slot, quantizer in quantizers(qnet):
        entries = _entries(f"{name} ({slot})", quantizer)
        if slot == "weight":
            parameters[f"{name}.weight"] = entries
        else:
            activations.setdefault(name, {})[_WAYS[slot]] = {"0": entries[0]}
    for name, tensor in plan_of(qnet).tensors.items():
        if tensor.shares is not None:
            activations[name] = activations[tensor.shares]
    return {
        "version": VERSION,
        "activation_encodings": activations,
        "param_encodings": parameters,
        "excluded_layers": [],
    }


def save_encodings(qnet: nn.Module, path: Path | str) -> int:
    """Write the encodings of a calibrated network as JSON, atomically.

    Args:
        qnet: A quantized network.
        path: File to write or to replace.

    Returns:
        Size of the file in bytes.

    Raises:
        ExportError: As :func:`aimet_encodings`.
        OSError: If the file cannot be written; an older file is kept.
    """
    path = Path(path)
    write_atomic(path, json.dumps(aimet_encodings(qnet), indent=1) + "\n")
    return path.stat().st_size


def _entries(place: str, quantizer: Quantizer) -> list[dict[str, Any]]:
    """One entry for each scale."""
    if is_dynamic(quantizer) or not bool(quantizer.calibrated):
        raise ExportError(f"{place} has no fixed range: use mode=static or qat, and calibrate")
    if quantizer.codebook() is not None or quantizer.spec.format != "int":
        raise ExportError(
            f"{place} has other values than scale times code, and encodings have no others: save "
            "the packed file (--to packed)"
        )
    if quantizer.spec.granularity == "group" or (
        quantizer.layout.slices > 1 and not quantizer.layout.of_weights
    ):
        raise ExportError(
            f"{place} has scales of groups or of input channels: these encodings have one for the "
            "tensor, or one for each output channel of a weight"
        )
    return _numbers(quantizer.qparams(), quantizer.spec)


def _numbers(own: QParams, spec: TensorSpec) -> list[dict[str, Any]]:
    grid = own.grid
    scales = own.scale.detach().reshape(-1).tolist()
    zeros = [int(zero) for zero in own.zero_point.detach().reshape(-1).tolist()]
    return [
        {
            "bitwidth": grid.bits,
            "dtype": "int",
            "is_symmetric": str(spec.symmetric),
            "max": (grid.qmax - zero) * scale,
            "min": (grid.qmin - zero) * scale,
            "offset": grid.qmin - zero,
            "scale": scale,
        }
        for scale, zero in zip(scales, zeros, strict=True)
    ]
