"""Codes of any width, bit after bit: ``ceil(n * bits / 8)`` bytes for ``n`` codes."""

import numpy as np
from numpy.typing import NDArray

from qat.base.errors import InputError


def packed_size(count: int, bits: int) -> int:
    """Bytes that ``count`` codes of ``bits`` bits take."""
    return -(-count * bits // 8)


def pack(codes: NDArray[np.int32], bits: int, qmin: int) -> NDArray[np.uint8]:
    """Codes as a stream of bits, each as ``code - qmin``, least significant bit first.

    Raises:
        ValueError: If a code does not fit in ``bits`` bits.
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

    Raises:
        ValueError: If the stream has not the length of ``count`` codes.
    """
    if stream.size != packed_size(count, bits):
        raise InputError(
            f"{count} codes of {bits} bits take {packed_size(count, bits)} bytes, "
            f"the stream has {stream.size}"
        )
    if 8 % bits == 0:  # whole codes a byte: no need to look at single bits
        shifts = np.arange(0, 8, bits, dtype=np.uint8)
        codes = (stream[:, None] >> shifts) & np.uint8((1 << bits) - 1)
        return codes.ravel()[:count].astype(np.int32) + np.int32(qmin)
    flat = np.unpackbits(stream, count=count * bits, bitorder="little").reshape(count, bits)
    weights = (1 << np.arange(bits)).astype(np.int32)
    return (flat.astype(np.int32) @ weights + qmin).astype(np.int32)
