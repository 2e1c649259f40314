"""The data set: shapes, classes, and equal arrays for equal arguments."""

import numpy as np
import pytest
from own_method.data import stripes


def test_arrays_are_in_the_layout_of_an_npz_file():
    arrays = stripes(train_images=24, test_images=12, classes=4, image_size=8)
    assert arrays["train_images"].shape == (24, 8, 8, 1)
    assert arrays["test_images"].dtype == np.uint8
    assert np.bincount(arrays["train_labels"]).tolist() == [6, 6, 6, 6]


@pytest.mark.parametrize(("seed", "equal"), [(0, True), (1, False)])
def test_equal_arguments_give_equal_arrays(seed, equal):
    first, second = (stripes(train_images=24, test_images=12, seed=s) for s in (0, seed))
    assert np.array_equal(first["train_images"], second["train_images"]) is equal


def test_the_first_class_varies_from_left_to_right():
    images = stripes(train_images=240, classes=12, image_size=16)["train_images"][::12, :, :, 0]
    columns, rows = images.mean(axis=1).std(axis=1), images.mean(axis=2).std(axis=1)
    assert (columns > rows).mean() > 0.9
