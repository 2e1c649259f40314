"""The windows of a tensor to which a kernel is applied."""

from collections.abc import Mapping
from typing import Any

from numpy.lib.stride_tricks import sliding_window_view

from qat.export.reference.fixed_point import Integers


def windows(x: Integers, kernel: tuple[int, ...], a: Mapping[str, Any]) -> Integers:
    """All windows of a padded tensor, as a view ``(N, channels, rows, columns, kh, kw)``.

    Args:
        x: Tensor ``(N, channels, height, width)``, padded already.
        kernel: Height and width of the kernel, ``(kh, kw)``.
        a: Attributes ``stride`` and, if it is not 1, ``dilation``.

    Example:
        >>> import numpy as np
        >>> row = np.arange(5).reshape(1, 1, 1, 5)
        >>> windows(row, (1, 2), {"stride": (1, 2)})[0, 0, 0, :, 0].tolist()
        [[0, 1], [2, 3]]
    """
    dilation = a.get("dilation", (1, 1))
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    view = sliding_window_view(x, reach, axis=(2, 3))
    (sh, sw), (dh, dw) = a["stride"], dilation
    return view[:, :, ::sh, ::sw, ::dh, ::dw]
