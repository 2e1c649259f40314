"""A large array in pieces, so that results between two operations stay small."""

from collections.abc import Iterator

PIECE = 2**20
"""Elements of a piece: in float64 8 MiB, less than what the C library maps anew each time."""


def pieces(count: int, size: int = PIECE) -> Iterator[slice]:
    """Return the slices that cover a flat array, in order.

    Args:
        count: Number of elements of the array.
        size: Number of elements of a piece; the last one may have fewer.

    Example:
        >>> list(pieces(5, 2))
        [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
