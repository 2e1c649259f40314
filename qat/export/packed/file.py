"""The packed file as a container: tensors and metadata, with a digest over both.

All versions of the format compute the digest in the same way, over the content as it is written.
Reading checks the digest before anything else.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from qat.base.atomic import atomic_path
from qat.base.errors import FileUnavailableError, InputError
from qat.export.packed.header import sort_metadata

FORMAT = "qatlab-packed"


class PackedFileError(InputError):
    """The file is damaged, has another format, or belongs to another network."""


def write_file(
    path: Path, tensors: dict[str, Tensor], parts: Mapping[str, Any], version: int
) -> int:
    """Write a file atomically. The same content gives the same bytes, in any process.

    Args:
        path: File to write or to replace.
        tensors: On the CPU, contiguous, without shared memory.
        parts: Name → data for JSON, which is compressed into the metadata.
        version: Version of the format.

    Returns:
        Size of the file in bytes.

    Raises:
        OSError: If the file cannot be written; an older file is kept, and no partial file is left.
    """
    metadata = {"format": FORMAT, "version": str(version)}
    metadata |= {name: fold(data) for name, data in parts.items()}
    metadata["sha256"] = digest_of(tensors, metadata)
    try:
        with atomic_path(path) as written:
            save_file(tensors, written, metadata)
            sort_metadata(written)
    except SafetensorError as error:
        raise FileUnavailableError(f"cannot write {path}: {error}") from error
    return path.stat().st_size


def read_file(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a file, checked against its digest.

    Raises:
        PackedFileError: If the file does not exist, is damaged, or is not a packed file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise PackedFileError(f"{path} does not exist: write it with save_packed") from error
    except (SafetensorError, OSError) as error:
        raise PackedFileError(
            f"{path} is damaged or is not a packed file ({error}): write it again"
        ) from error
    if metadata.get("format") != FORMAT:
        raise PackedFileError(f"{path} is not a packed file: its format is not {FORMAT}")
    if metadata.get("sha256") != digest_of(tensors, metadata):
        raise PackedFileError(f"{path} is damaged (its digest differs): write it again")
    return tensors, metadata


def digest_of(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """SHA-256 of all tensors and metadata, except the entry of the digest itself.

    Args:
        tensors: On the CPU.
        metadata: With or without the entry ``sha256``.

    Example:
        >>> digest_of({}, {"format": "qatlab-packed"})[:8]
        '41d186a6'
    """
    digest = hashlib.sha256()
    for key in sorted(metadata.keys() - {"sha256"}):
        digest.update(f"{key}={metadata[key]}\n".encode())
    for key in sorted(tensors):
        tensor = tensors[key].contiguous()
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def fold(data: Any) -> str:
    """Data as text for the metadata: JSON, compressed by zlib, in base64."""
    return base64.b64encode(zlib.compress(json.dumps(data).encode(), 9)).decode("ascii")


def unfold(path: Path, metadata: Mapping[str, str], part: str) -> Any:
    """The inverse of :func:`fold` for one part of the metadata.

    Args:
        path: File with the metadata, for the error message.
        metadata: All metadata of the file.
        part: Name of the part.

    Raises:
        PackedFileError: If the part is missing or cannot be decoded.

    Example:
        >>> unfold(Path("net.safetensors"), {"plan": fold({"version": 1})}, "plan")
        {'version': 1}
    """
    try:
        return json.loads(zlib.decompress(base64.b64decode(metadata[part], validate=True)))
    except (KeyError, ValueError, zlib.error) as error:
        raise PackedFileError(f"{path} has damaged metadata ({part}): write it again") from error
