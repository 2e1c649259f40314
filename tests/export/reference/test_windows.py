"""Windows against torch, which unfolds them."""

import numpy as np
import pytest
import torch

from qat.export.reference.windows import windows


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"),
    [((2, 3), (1, 1), (1, 1)), ((3, 2), (2, 3), (1, 1)), ((2, 2), (2, 1), (2, 3))],
)
def test_windows_are_those_that_torch_unfolds(kernel, stride, dilation):
    x = np.random.default_rng(0).integers(-99, 99, (2, 3, 7, 8))
    view = windows(x, kernel, {"stride": stride, "dilation": dilation})
    unfolded = torch.nn.functional.unfold(
        torch.from_numpy(x).double(), kernel, dilation=dilation, stride=stride
    )
    n, channels, rows, columns = view.shape[:4]
    flat = view.transpose(0, 1, 4, 5, 2, 3).reshape(n, channels * kernel[0] * kernel[1], -1)
    assert rows * columns == unfolded.shape[2]
    assert np.array_equal(flat, unfolded.numpy())


def test_a_missing_dilation_is_one():
    row = np.arange(6).reshape(1, 1, 1, 6)
    assert windows(row, (1, 3), {"stride": (1, 3)}).ravel().tolist() == [0, 1, 2, 3, 4, 5]
