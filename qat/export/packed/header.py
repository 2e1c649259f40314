"""Safetensors files with reproducible bytes.

The library keeps the metadata of a file in a hash table, so that their order, and therefore the
SHA-256 of the file, differs between processes. The order has no meaning: after sorting, the same
tensors and metadata give the same file.
"""

import json
from pathlib import Path

from qat.export.errors import ExportError

_LENGTH_BYTES = 8


def sort_metadata(path: Path) -> None:
    """Sort the metadata of a new file by name, in place.

    The length of the header and the positions of the tensors do not change.

    Raises:
        ExportError: If the sorted header would be longer than the present one.
    """
    with path.open("rb+") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        text = file.read(length)
        header = json.loads(text)
        if "__metadata__" not in header:
            return
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        ordered = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(ordered) > length:
            raise ExportError(
                f"{path}: the sorted header has {len(ordered)} bytes, allowed are {length}; "
                "install the version of safetensors in requirements.lock"
            )
        file.seek(_LENGTH_BYTES)
        file.write(ordered.ljust(length))
