"""Versions of the packed file, and how older ones become the present one.

1. Weights as codes of affine grids; ``shapes`` in the metadata: name → shape. Biases in float.
2. ``layout`` in its place: name → form and shape; codebooks, and biases as int32 codes.

Each step of :data:`_STEPS` lifts the contents of a file by one version, so that a new version adds
one step and touches none of the others.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from qat.export.packed.file import PackedFileError, fold, unfold

VERSION = 2

Metadata = dict[str, str]


def migrated(
    path: Path, tensors: dict[str, Tensor], metadata: Metadata
) -> tuple[dict[str, Tensor], Metadata]:
    """The contents of a file as the present version has them; the file stays as it is.

    Raises:
        PackedFileError: If the file is newer than this program, or of no version at all.
    """
    version = _version(path, metadata)
    for old in range(version, VERSION):
        metadata = _STEPS[old](path, metadata)
    return tensors, metadata


def _version(path: Path, metadata: Metadata) -> int:
    text = metadata.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() else 0
    if version > VERSION:
        raise PackedFileError(
            f"{path} has format version {version}, this program reads 1 to {VERSION}: "
            "read it with a newer qat, or write it anew with this one"
        )
    if version < 1:
        raise PackedFileError(
            f"{path} has format version {text!r}, this program reads 1 to {VERSION}: write it anew"
        )
    return version


def _to_2(path: Path, metadata: Metadata) -> Metadata:
    shapes = unfold(path, metadata, "shapes")
    if not isinstance(shapes, dict):
        raise PackedFileError(f"{path} has damaged metadata (shapes): write it anew")
    layout: dict[str, Any] = {k: {"form": "affine", "shape": s} for k, s in shapes.items()}
    rest = {key: text for key, text in metadata.items() if key != "shapes"}
    return rest | {"layout": fold(layout)}


_STEPS: Mapping[int, Callable[[Path, Metadata], Metadata]] = {1: _to_2}
"""Version → what makes the next one of it."""
