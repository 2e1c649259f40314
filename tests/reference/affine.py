"""The affine arithmetic in plain numpy, written from the formulas alone.

q = clamp(round_half_even(r / scale) + zero_point, qmin, qmax),  r = scale * (q - zero_point)
"""

import numpy as np


def codes_of(bits, signed, narrow=False):
    """Smallest and largest code, by counting."""
    if not signed:
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)) + (1 if narrow else 0), 2 ** (bits - 1) - 1


def scale_and_zero_point(rmin, rmax, qmin, qmax, symmetric, dtype=np.float64):
    """Of one range, in the dtype asked for."""
    rmin, rmax = dtype(min(rmin, 0)), dtype(max(rmax, 0))
    if symmetric:
        return max(-rmin, rmax) / dtype(qmax), 0
    scale = (rmax - rmin) / dtype(qmax - qmin)
    return scale, int(np.clip(np.round(qmin - rmin / scale), qmin, qmax))


def encode(x, scale, zero_point, qmin, qmax):
    return np.clip(np.round(x / scale) + zero_point, qmin, qmax).astype(np.int64)


def decode(codes, scale, zero_point, dtype=np.float32):
    return ((codes - zero_point).astype(dtype) * scale).astype(dtype)


def pack(codes, bits, qmin):
    """A stream of bits as one big integer, least significant first."""
    number = 0
    for place, code in enumerate(codes):
        number |= (int(code) - qmin) << (place * bits)
    return number.to_bytes(-(-len(codes) * bits // 8), "little")
