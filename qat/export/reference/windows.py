"""The windows that a kernel sees."""

from collections.abc import Mapping
from typing import Any

from numpy.lib.stride_tricks import sliding_window_view

from qat.export.reference.fixed_point import Integers


def windows(x: Integers, kernel: tuple[int, ...], a: Mapping[str, Any]) -> Integers:
    """``(n, channels, rows, columns, kh, kw)``."""
    dilation = a.get("dilation", (1, 1))
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    view = sliding_window_view(x, reach, axis=(2, 3))
    (sh, sw), (dh, dw) = a["stride"], dilation
    return view[:, :, ::sh, ::sw, ::dh, ::dw]
