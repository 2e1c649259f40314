"""Safetensors files that are the same bytes each time.

The library keeps a file's metadata in a hash table, so that their order, and with it the file's
SHA-256, changes from process to process. The order carries no meaning: sorted, the same tensors
and metadata give the same file.
"""

import json
from pathlib import Path

from qat.export.errors import ExportError

_LENGTH_BYTES = 8


def sort_metadata(path: Path) -> None:
    """Put the metadata of a file that was just written in order of their names, in place.

    The header keeps its length, and the tensors stay where they are.

    Raises:
        ExportError: If the header is written in another way than JSON is here.
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
            raise ExportError(f"{path}: its header cannot be put in order")
        file.seek(_LENGTH_BYTES)
        file.write(ordered.ljust(length))
