"""Labels against classes."""

import pytest
import torch

from qat.data.errors import DataError
from qat.data.labels import check_all_classes, check_labels, is_labelled, no_labels


def test_images_without_labels_are_recognised():
    assert no_labels(3).tolist() == [-1, -1, -1]
    assert not is_labelled(no_labels(3))
    assert is_labelled(torch.tensor([0, 2]))


@pytest.mark.parametrize(("labels", "bad"), [([0, 3], 3), ([-1, 2], -1)])
def test_a_label_outside_the_classes_is_named(labels, bad):
    check_labels(torch.tensor([0, 2]), 3, "it")
    with pytest.raises(DataError, match=f"it: label {bad} is out of range, 3 classes allow 0 to 2"):
        check_labels(torch.tensor(labels), 3, "it")


def test_classes_without_an_image_are_named_up_to_five():
    check_all_classes(torch.tensor([2, 0, 1]), 3, "it")
    with pytest.raises(DataError, match=r"it: 1 of 3 classes have no image \(1\)"):
        check_all_classes(torch.tensor([2, 0]), 3, "it")
    with pytest.raises(DataError, match=r"7 of 8 classes .* \(0, 1, 2, 3, 4, \.\.\.\)"):
        check_all_classes(torch.tensor([7]), 8, "it")
