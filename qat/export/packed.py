"""The packed file: a quantized network in the bytes its codes need.

One safetensors file. A weight of ``b`` bits is a stream of ``ceil(n * b / 8)`` bytes, beside its
scales (float32) and, on asymmetric grids, zero points (int32). Inputs bring their scales, unless
their range is taken at inference. Biases, norms and layers left float are kept as they are. The
metadata hold the format version, the plan and the shapes of packed weights (JSON, deflated by zlib,
base64, since a plan says much the same of each layer), and a SHA-256 of all that.

What is read back is a network of fixed ranges that gives the same outputs bit for bit; how it
was trained is not kept.
"""

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from qat.convert.rules import plan_of
from qat.convert.swap import quantize
from qat.core.packing import pack, unpack
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import Method, TensorSpec
from qat.core.state import own_state
from qat.layers.walk import placed_quantizers, quantizer_keys, twins
from qat.quantizers.base import Quantizer
from qat.quantizers.cast import CastQuantizer
from qat.quantizers.dynamic import is_dynamic

FORMAT, VERSION = "qatlab-packed", 1


class PackedFileError(ValueError):
    """The file is damaged, of another format, or of another network."""


def save_packed(qnet: nn.Module, path: Path) -> int:
    """Write a calibrated network; whole or not at all.

    Returns:
        Bytes written.

    Raises:
        ValueError: If a quantizer is not calibrated, or weights hold NaN.
        OSError: If the disk is full, or the place cannot be written; an older file stays.
    """
    path = Path(path)
    tensors, shapes = packed_tensors(qnet)
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "plan": _deflated(plan_of(qnet).to_dict()),
        "shapes": _deflated(shapes),
    }
    metadata["sha256"] = _digest(tensors, metadata)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file(tensors, aside, metadata)
        aside.replace(path)
    except SafetensorError as error:
        raise OSError(f"cannot write {path}: {error}") from error
    finally:
        aside.unlink(missing_ok=True)
    return path.stat().st_size


def load_packed(path: Path, net: nn.Module) -> nn.Module:
    """Read a packed file into the quantized version of a float network.

    Args:
        path: The file.
        net: A float network of the same architecture; it is left as it is.

    Raises:
        PackedFileError: If the file is damaged, or of another network or a newer format.
    """
    tensors, metadata = _read(Path(path))
    try:
        plan, shapes = (_inflated(metadata[key]) for key in ("plan", "shapes"))
    except (KeyError, ValueError, zlib.error) as error:
        raise PackedFileError(f"{path} has damaged metadata: write it anew") from error
    try:
        qnet = quantize(net, _with_fixed_ranges(Plan.from_dict(plan)))
        _restore(qnet, tensors, shapes)
    except (KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        reason = error.args[0] if error.args else error
        raise PackedFileError(f"{path} is of another network: {reason}") from error
    return qnet


def theoretical_bytes(qnet: nn.Module) -> int:
    """Codes at their width, scales, zero points, biases and float leftovers; no headers."""
    return sum(t.numel() * t.element_size() for t in packed_tensors(qnet)[0].values())


def packed_tensors(qnet: nn.Module) -> tuple[dict[str, Tensor], dict[str, list[int]]]:
    """All tensors of the file by name, and the shapes of the packed weights."""
    own = quantizer_keys(qnet)
    tensors = {k: t for k, t in own_state(qnet).items() if not k.startswith(own)}
    shapes: dict[str, list[int]] = {}
    for name, twin in twins(qnet):
        if isinstance(twin.weight_quantizer, CastQuantizer):
            tensors[f"{name}.weight"] = twin.weight_quantizer(twin.weight).detach().half()
        elif isinstance(twin.weight_quantizer, Quantizer):
            tensors[f"{name}.weight"] = _packed_weight(twin.weight_quantizer, twin.weight)
            shapes[f"{name}.weight"] = list(twin.weight.shape)
    for path, _, _, quantizer in placed_quantizers(qnet):
        tensors.update(_ranges(path, quantizer))
    return {k: t.detach().cpu().contiguous().clone() for k, t in tensors.items()}, shapes


def _digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """SHA-256 of all tensors and metadata, the digest itself apart."""
    digest = hashlib.sha256()
    for key in sorted(metadata.keys() - {"sha256"}):
        digest.update(f"{key}={metadata[key]}\n".encode())
    for key in sorted(tensors):
        tensor = tensors[key].contiguous()
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _deflated(data: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(data).encode(), 9)).decode("ascii")


def _inflated(text: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(text, validate=True)))


def _packed_weight(quantizer: Quantizer, weight: Tensor) -> Tensor:
    codes = quantizer.encode(weight.detach()).cpu().numpy()
    return torch.from_numpy(pack(codes, quantizer.grid.bits, quantizer.grid.qmin))


def _ranges(prefix: str, quantizer: Quantizer) -> dict[str, Tensor]:
    if is_dynamic(quantizer):
        return {}
    if not bool(quantizer.calibrated):
        raise ValueError(f"{quantizer.label} is not calibrated: calibrate before saving")
    qparams = quantizer.qparams()
    found = {f"{prefix}.scale": qparams.scale.contiguous()}
    if not quantizer.spec.symmetric:
        found[f"{prefix}.zero_point"] = qparams.zero_point.to(torch.int32)
    return found


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise PackedFileError(f"{path} is not there") from error
    except (SafetensorError, OSError) as error:
        raise PackedFileError(f"{path} is damaged ({error}): write it anew") from error
    if metadata.get("format") != FORMAT:
        raise PackedFileError(f"{path} is no packed file of this project")
    if metadata.get("version") != str(VERSION):
        raise PackedFileError(
            f"{path} has format version {metadata.get('version')}, this program reads {VERSION}"
        )
    if metadata.get("sha256") != _digest(tensors, metadata):
        raise PackedFileError(f"{path} is damaged (its digest differs): write it anew")
    return tensors, metadata


def _with_fixed_ranges(plan: Plan) -> Plan:
    """The plan with every trained or observed range replaced by one that is simply set.

    So a file names no code to run, only numbers.
    """

    def fixed(spec: TensorSpec) -> TensorSpec:
        if spec.quantizer.name == "dynamic":
            return spec
        return spec.but(quantizer=Method("minmax"), observer=Method("minmax"), scale="free")

    def of(layer: LayerPlan) -> LayerPlan:
        output = None if layer.output is None else fixed(layer.output)
        return replace(layer, weight=fixed(layer.weight), act=fixed(layer.act), output=output)

    return replace(
        plan,
        layers={name: of(layer) for name, layer in plan.layers.items()},
        tensors={n: replace(t, spec=fixed(t.spec)) for n, t in plan.tensors.items()},
    )


def _restore(qnet: nn.Module, tensors: dict[str, Tensor], shapes: dict[str, list[int]]) -> None:
    for path, _, _, quantizer in placed_quantizers(qnet):
        if not is_dynamic(quantizer):
            scale = tensors.pop(f"{path}.scale")
            quantizer.set_qparams(scale, tensors.pop(f"{path}.zero_point", torch.zeros(())))
            quantizer.frozen = True
    for name, twin in twins(qnet):
        key = f"{name}.weight"
        if key in shapes:
            device = twin.weight.device
            tensors[key] = _unpacked(tensors[key], shapes[key], twin.weight_quantizer, device)
    own = quantizer_keys(qnet)
    differing = {k for k in own_state(qnet) if not k.startswith(own)} ^ tensors.keys()
    if differing:
        raise KeyError(f"keys differ: {', '.join(sorted(differing)[:5])}")
    qnet.load_state_dict(tensors, strict=False)


def _unpacked(stream: Tensor, shape: list[int], quantizer: Any, device: torch.device) -> Tensor:
    grid = quantizer.grid
    codes = unpack(stream.numpy(), int(np.prod(shape)), grid.bits, grid.qmin)
    placed = torch.from_numpy(codes.reshape(shape)).to(device)
    return quantizer.decode(placed)  # type: ignore[no-any-return]
