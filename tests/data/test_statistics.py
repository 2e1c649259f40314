"""Mean and standard deviation of pixels, against numpy."""

import numpy as np
import pytest
import torch

from qat.data.in_memory import ImageSet
from qat.data.statistics import pixel_mean_std


def test_they_are_numpys_in_double_precision_over_more_than_one_chunk():
    pixels = np.random.default_rng(0).integers(0, 256, (700, 2, 3, 4), dtype=np.uint8)
    images = ImageSet(torch.from_numpy(pixels), torch.zeros(700, dtype=torch.int64))
    mean, std = pixel_mean_std(images)
    values = pixels.astype(np.float64) / 255
    assert mean == pytest.approx(values.mean(axis=(0, 2, 3)), abs=5.1e-7)  # six digits are kept
    assert std == pytest.approx(values.std(axis=(0, 2, 3)), abs=5.1e-7)


def test_a_constant_channel_has_no_deviation():
    images = torch.full((3, 1, 2, 2), 51, dtype=torch.uint8)
    assert pixel_mean_std(ImageSet(images, torch.arange(3))) == ((0.2,), (0.0,))
