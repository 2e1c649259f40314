"""Normalisation against torchvision's transforms, and what the settings refuse."""

import math

import pytest
import torch
from PIL import Image
from torchvision import transforms

from qat.data.errors import DataError
from qat.data.preprocess import Preprocess

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def random_images(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator())


def test_normalisation_equals_to_tensor_and_normalize_bit_for_bit():
    images = random_images(6, 3, 16, 12)
    reference = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    expected = [reference(Image.fromarray(i.permute(1, 2, 0).numpy())) for i in images]
    assert torch.equal(Preprocess(MEAN, STD)(images), torch.stack(expected))


def test_normalisation_by_hand():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 1, 1, 3)
    out = Preprocess((0.2,), (0.4,))(images)
    assert out.flatten().tolist() == pytest.approx([-0.5, 0.0, 2.0], abs=1e-6)


def test_crop_larger_than_the_image_is_refused():
    with pytest.raises(DataError, match="crop must be at most the image's 28x28, got 32; set"):
        Preprocess((0.0,), (1.0,), crop=32)(random_images(1, 1, 28, 28))


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ((0.0, 0.0), (1.0,), "one value per channel"),
        ((), (), "one value per channel"),
        ((math.nan,), (1.0,), "mean must be finite"),
        ((0.25, 0.0), (0.0, 0.5), r"set data\.mean=\[0\.25,0\] data\.std=\[1,0\.5\]$"),
        ((0.0,), (math.inf,), "std must be finite and above 0"),
        ((0.0,), (math.nan,), "std must be finite and above 0"),
    ],
)
def test_unusable_mean_and_std_are_refused(mean, std, message):
    with pytest.raises(DataError, match=message):
        Preprocess(mean, std)


@pytest.mark.parametrize("key", ["resize", "crop"])
def test_sizes_below_one_are_refused(key):
    with pytest.raises(DataError, match=f"{key} must be 1 or more, or null for none, got 0"):
        Preprocess((0.0,), (1.0,), **{key: 0})


def test_channels_that_do_not_match_are_refused():
    with pytest.raises(DataError, match="mean and std have 3 values, the images 1 channel"):
        Preprocess(MEAN, STD)(random_images(2, 1, 4, 4))
