"""The packed file as a container: tensors and metadata, with a digest over both.

The digest is made in the same way in every version, over the file as it is written, so that
damage is found before anything else is looked at.
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
    """The file is damaged, of another format, or of another network."""


def write_file(
    path: Path, tensors: dict[str, Tensor], parts: Mapping[str, Any], version: int
) -> int:
    """Write aside, then rename. The same content gives the same bytes, in any process.

    Args:
        path: The final name.
        tensors: On the CPU, contiguous, of memory of their own.
        parts: Name → data for JSON, deflated into the metadata.
        version: Of the format.

    Returns:
        Bytes written.

    Raises:
        OSError: If that fails; an older file stays, and nothing partial is left.
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
    """Tensors and metadata of a file, whole as they were written.

    Raises:
        PackedFileError: If it is not there, damaged, or something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise PackedFileError(f"{path} is not there") from error
    except (SafetensorError, OSError) as error:
        raise PackedFileError(
            f"{path} is damaged or no packed file ({error}): write it anew"
        ) from error
    if metadata.get("format") != FORMAT:
        raise PackedFileError(f"{path} is no packed file of this project")
    if metadata.get("sha256") != digest_of(tensors, metadata):
        raise PackedFileError(f"{path} is damaged (its digest differs): write it anew")
    return tensors, metadata


def digest_of(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """SHA-256 of all tensors and metadata, the digest itself apart."""
    digest = hashlib.sha256()
    for key in sorted(metadata.keys() - {"sha256"}):
        digest.update(f"{key}={metadata[key]}\n".encode())
    for key in sorted(tensors):
        tensor = tensors[key].contiguous()
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def fold(data: Any) -> str:
    """Data as metadata hold it: JSON, deflated, base64."""
    return base64.b64encode(zlib.compress(json.dumps(data).encode(), 9)).decode("ascii")


def unfold(path: Path, metadata: Mapping[str, str], part: str) -> Any:
    """The inverse of :func:`fold`.

    Raises:
        PackedFileError: If the part is missing or cannot be read.
    """
    try:
        return json.loads(zlib.decompress(base64.b64decode(metadata[part], validate=True)))
    except (KeyError, ValueError, zlib.error) as error:
        raise PackedFileError(f"{path} has damaged metadata ({part}): write it anew") from error
