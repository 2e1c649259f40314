"""Pack integer codes of any width without gaps: ``n`` codes take ``ceil(n * bits / 8)`` bytes."""

import numpy as np
from numpy.typing import NDArray

from qat.base.errors import InputError


def packed_size(count: int, bits: int) -> int:
    """Size of packed codes in bytes.

    Args:
        count: Number of codes.
        bits: Width of a code.

    Example:
        >>> packed_size(5, bits=3)
        2
    """
    return -(-count * bits // 8)


def pack(codes: NDArray[np.int32], bits: int, qmin: int) -> NDArray[np.uint8]:
    """Codes as a stream of bits, each as ``code - qmin``, least significant bit first.

    Args:
        codes: Of any shape; the stream is in C order.
        bits: Width of a code.
        qmin: Smallest code, which is stored as 0.

    Returns:
        uint8, of :func:`packed_size` bytes; unused bits of the last byte are 0.

    Raises:
        InputError: If a code does not fit in ``bits`` bits.

    Example:
        >>> stream = pack(np.array([-4, -3, 3], np.int32), bits=3, qmin=-4)
        >>> stream.tolist(), unpack(stream, count=3, bits=3, qmin=-4).tolist()
        ([200, 1], [-4, -3, 3])
    """
    offset = codes.astype(np.int64).ravel() - qmin
    if offset.size and (offset.min() < 0 or offset.max() >= 1 << bits):
        raise InputError(
            f"codes {codes.min()}..{codes.max()} do not fit {bits} bits starting at {qmin}"
        )
    shifts = np.arange(bits, dtype=np.int64)
    stream = ((offset[:, None] >> shifts) & 1).astype(np.uint8)  # (n, bits)
    return np.packbits(stream.ravel(), bitorder="little")


def unpack(stream: NDArray[np.uint8], count: int, bits: int, qmin: int) -> NDArray[np.int32]:
    """The inverse of :func:`pack`.

    Args:
        stream: Packed codes.
        count: Number of codes.
        bits: Width of a code.
        qmin: Smallest code, which is stored as 0.

    Returns:
        int32, of shape ``(count,)``.

    Raises:
        InputError: If the stream does not have the length of ``count`` codes.
    """
    if stream.size != packed_size(count, bits):
        raise InputError(
            f"{count} codes of {bits} bits take {packed_size(count, bits)} bytes, "
            f"the stream has {stream.size}"
        )
    if 8 % bits == 0:  # a byte contains whole codes: shift them instead of single bits
        shifts = np.arange(0, 8, bits, dtype=np.uint8)
        codes = (stream[:, None] >> shifts) & np.uint8((1 << bits) - 1)
        return codes.ravel()[:count].astype(np.int32) + np.int32(qmin)
    flat = np.unpackbits(stream, count=count * bits, bitorder="little").reshape(count, bits)
    weights = (1 << np.arange(bits)).astype(np.int32)
    return (flat.astype(np.int32) @ weights + qmin).astype(np.int32)
