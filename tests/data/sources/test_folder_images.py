"""Images that stay in their files: the same as in memory."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from qat.data import Augment, Batches, load_data
from qat.data.request import DataRequest
from qat.data.sources.folder_images import FolderImages, ImageFile
from qat.data.sources.image_file import inspect
from tests.data.class_folders import pixels


@pytest.fixture
def streamed(folder):
    """The four test images of class 1, without labels of their own."""
    paths = sorted((folder / "test" / "bee").iterdir())
    files = [ImageFile(path, label, inspect(path)) for label, path in enumerate(paths)]
    return FolderImages(tuple(files), grey=False)


def test_pixels_come_from_the_files_in_the_order_of_the_indices(streamed):
    images, labels = streamed.take(torch.tensor([2, 0]))
    assert labels.tolist() == [2, 0]
    for image, index in zip(images, (2, 0), strict=True):
        assert np.array_equal(image.permute(1, 2, 0).numpy(), pixels(1, index, (8, 8, 3)))
    assert torch.equal(streamed.subset(torch.tensor([2, 0])).in_memory().images, images)


def test_size_and_bytes_are_those_after_reading(streamed):
    assert (streamed.image_shape, streamed.nbytes) == ((3, 8, 8), 4 * 3 * 8 * 8)
    cropped = replace(streamed, grey=True, fitted=(12, 10))
    assert (cropped.image_shape, cropped.nbytes) == ((1, 10, 10), 4 * 100)
    assert cropped.take(slice(0, 1))[0].shape == (1, 1, 10, 10)


def test_the_digest_sees_labels_and_contents_and_no_names(streamed, tmp_path):
    first = streamed.files[0]
    moved = first.path.rename(tmp_path / "other.png")
    same = (replace(first, path=moved), *streamed.files[1:])
    assert replace(streamed, files=same).digest() == streamed.digest()
    other = (replace(first, label=3), *streamed.files[1:])
    assert replace(streamed, files=other).digest() != streamed.digest()


@pytest.mark.parametrize("options", [{}, {"resize": 12, "crop": 10}], ids=["plain", "resized"])
def test_streamed_equals_in_memory(folder, options):
    kept = load_data(DataRequest("folder", path=folder, **options))
    streamed = load_data(DataRequest("folder", path=folder, memory_limit=100, **options))
    assert isinstance(streamed.train, FolderImages)
    assert isinstance(streamed.val, FolderImages)
    assert streamed.digest == kept.digest
    assert streamed.preprocess == kept.preprocess
    for left, right in zip(training(streamed), training(kept), strict=True):
        assert torch.equal(left[0], right[0])
        assert torch.equal(left[1], right[1])


def training(data):
    return Batches(data.train, 8, data.preprocess, Augment(1), shuffle=True, seed=3, epoch=2)
