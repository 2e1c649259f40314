"""The IDX format of the MNIST family, plain or gzipped.

Four bytes ``0, 0, type, rank``, then ``rank`` big-endian 32-bit lengths, then the values, last
axis fastest. Type 8 is uint8, the only type in these data sets. Source: the page of the MNIST
database, Y. LeCun, C. Cortes, C. Burges, http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qat.data.errors import DataError

_UINT8 = 8


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read the array of a plain IDX file, or of a gzipped one (``.gz``).

    Raises:
        DataError: If the file is missing, damaged or of another type.
    """
    try:
        blob = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}); get the IDX file again") from error
    if len(blob) < 4 or blob[:3] != bytes((0, 0, _UINT8)):
        raise DataError(f"{path}: not an IDX file of uint8, begins with {blob[:4]!r}; get it again")
    header = 4 + 4 * blob[3]
    if len(blob) < header:
        raise DataError(f"{path}: truncated in its header of {header} bytes; get the file again")
    shape = tuple(np.frombuffer(blob[4:header], dtype=">u4").tolist())
    values = np.frombuffer(blob[header:], dtype=np.uint8)
    if values.size != math.prod(shape):
        raise DataError(
            f"{path}: truncated or damaged, {values.size} bytes for shape {list(shape)}; "
            "get the IDX file again"
        )
    return values.reshape(shape)
