"""Images to calibrate with: from any folder or file, and of the data set's shape."""

import numpy as np
import pytest
import torch

from qat.data.calibration import load_calibration
from qat.data.errors import DataError
from qat.data.in_memory import ImageSet
from tests.data.class_folders import pixels

LIKE = ImageSet(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.arange(2))
PLAIN = (None, None)


def test_a_folder_gives_its_images_at_any_depth_without_labels(folder):
    (folder / "test" / "notes.txt").write_text("no image")
    images, notes = load_calibration(folder, LIKE, PLAIN)
    assert (len(images), images.labelled) == (42, False)
    # in the order of their paths: test/ant before train/ant
    first = images.take(slice(0, 1))[0][0].permute(1, 2, 0).numpy()
    assert np.array_equal(first, pixels(0, 0, (8, 8, 3)))
    assert notes == ("1 file left out, not an image by suffix: .txt (1)",)


@pytest.mark.parametrize("name", ["images", "train_images"])
def test_a_file_gives_one_array(tmp_path, name):
    array = np.arange(5 * 192, dtype=np.uint8).reshape(5, 8, 8, 3)
    np.savez(tmp_path / "own.npz", **{name: array, "train_labels": np.arange(5)})
    images, notes = load_calibration(tmp_path / "own.npz", LIKE, PLAIN)
    assert np.array_equal(images.take(slice(None))[0].numpy(), array.transpose(0, 3, 1, 2))
    assert (images.labelled, notes) == (False, ())


def test_shapes_are_compared_after_resize_and_crop(tmp_path):
    np.savez(tmp_path / "own.npz", images=np.zeros((2, 16, 20, 3), np.uint8))
    assert len(load_calibration(tmp_path / "own.npz", LIKE, (8, 8))[0]) == 2
    with pytest.raises(DataError, match=r"are 3x16x20 \(.*those of the data set are 3x8x8"):
        load_calibration(tmp_path / "own.npz", LIKE, PLAIN)


def test_nothing_to_read_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"none: no such folder or file; give a folder or an \.npz"):
        load_calibration(tmp_path / "none", LIKE, PLAIN)
    with pytest.raises(DataError, match="no image in it; add images"):
        load_calibration(tmp_path, LIKE, PLAIN)
    np.savez(tmp_path / "own.npz", test_images=np.zeros((2, 8, 8, 3), np.uint8))
    with pytest.raises(DataError, match="its arrays are test_images; it needs images or train_im"):
        load_calibration(tmp_path / "own.npz", LIKE, PLAIN)
