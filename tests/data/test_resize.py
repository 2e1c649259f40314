"""Resize and centre crop against torchvision, and sizes by hand."""

import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from qat.data.errors import DataError
from qat.data.resize import fit, fitted_size


def random_images(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator())


@pytest.mark.parametrize("size", [(28, 28), (20, 31), (31, 20)])
@pytest.mark.parametrize(("resize", "crop"), [(56, None), (40, 32), (14, 9), (None, 17), (24, 24)])
def test_resize_and_crop_follow_torchvision(size, resize, crop):
    images = random_images(3, 3, *size)
    expected = images
    if resize:
        expected = tv.resize(expected, [resize], antialias=True)
    if crop:
        expected = tv.center_crop(expected, [crop, crop])
    out = fit(images, resize, crop)
    assert out.shape == expected.shape
    assert out.shape[-2:] == fitted_size(*size, resize, crop)
    # 1 of 255: torchvision's uint8 kernel works in fixed point
    assert (out.int() - expected.int()).abs().max() <= 1


def test_each_image_is_fitted_by_itself():
    images = random_images(7, 3, 19, 23)
    alone = torch.cat([fit(image[None], 40, 32) for image in images])
    assert torch.equal(fit(images, 40, 32), alone)


def test_sizes_by_hand():
    assert fitted_size(20, 31, None, None) == (20, 31)
    assert fitted_size(20, 31, 40, None) == (40, 62)  # the longer side in proportion
    assert fitted_size(31, 20, 15, None) == (23, 15)  # 23.25 is rounded down
    assert fitted_size(20, 31, 40, 32) == (32, 32)


def test_a_crop_is_compared_with_the_resized_image():
    with pytest.raises(DataError, match=r"at most the image's 16x24, got 17; set data\.resize"):
        fitted_size(32, 48, 16, 17)
