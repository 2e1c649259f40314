"""Versions of the packed file, and the conversion of older ones to the present one.

1. Weights as codes of affine grids; ``shapes`` in the metadata: name → shape. Biases in float.
2. ``layout`` instead of ``shapes``: name → form and shape; codebooks, and biases as int32 codes.
3. Low-bit floats and MX blocks, and codes of 1 bit.
4. Codebooks as unit levels that all slices share, and a scale of each slice.

A file is written in the oldest version that can hold it.

Each step of :data:`_STEPS` converts the content of a file to the next version. A new version adds
one step and changes none of the others.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from qat.core.formats import LOW_BIT_FORMATS
from qat.core.plan import Plan
from qat.export.packed.content import CODEBOOK_SCALE
from qat.export.packed.file import PackedFileError, fold, unfold

VERSION = 4

Metadata = dict[str, str]


def migrated(
    path: Path, tensors: dict[str, Tensor], metadata: Metadata
) -> tuple[dict[str, Tensor], Metadata]:
    """The content of a file, converted to the present version; the file is not changed.

    Args:
        path: File with this content, for error messages.
        tensors: All tensors of the file.
        metadata: All metadata of the file.

    Raises:
        PackedFileError: If the version is newer than this program or not a version at all, or the
            metadata are damaged.
    """
    version = _version(path, metadata)
    for old in range(version, VERSION):
        metadata = _STEPS[old](path, metadata)
    return tensors, metadata


def version_of(plan: Plan, keys: Iterable[str] = ()) -> int:
    """The oldest version of the format that can hold a network.

    Args:
        plan: Of the network.
        keys: Names of the tensors of the file.

    Example:
        >>> version_of(Plan({})), version_of(Plan({}), ["fc.weight_quantizer.codebook_scale"])
        (2, 4)
    """
    if any(key.endswith(f".{CODEBOOK_SCALE}") for key in keys):
        return 4
    layers = plan.layers.values()
    specs = [s for p in layers for s in (p.weight, p.act, p.output) if s is not None]
    new = any(s.format in LOW_BIT_FORMATS or s.bits == 1 for s in specs if not s.is_off)
    return 3 if new else 2


def _version(path: Path, metadata: Metadata) -> int:
    text = metadata.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() else 0
    if version > VERSION:
        raise PackedFileError(
            f"{path} has format version {version}, this program reads 1 to {VERSION}: "
            "read it with a newer qat, or write it again with this one"
        )
    if version < 1:
        raise PackedFileError(
            f"{path} has format version {text!r}, this program reads 1 to {VERSION}: write it again"
        )
    return version


def _to_2(path: Path, metadata: Metadata) -> Metadata:
    shapes = unfold(path, metadata, "shapes")
    if not isinstance(shapes, dict):
        raise PackedFileError(f"{path} has damaged metadata (shapes): write it again")
    layout: dict[str, Any] = {k: {"form": "affine", "shape": s} for k, s in shapes.items()}
    kept = {key: text for key, text in metadata.items() if key != "shapes"}
    return kept | {"layout": fold(layout)}


def _unchanged(path: Path, metadata: Metadata) -> Metadata:
    return metadata


_STEPS: Mapping[int, Callable[[Path, Metadata], Metadata]] = {
    1: _to_2,
    2: _unchanged,
    3: _unchanged,
}
"""Version → function that converts the metadata to the next version."""
