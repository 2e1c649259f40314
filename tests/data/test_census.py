"""How many images each part and class has, in words."""

from dataclasses import replace

import torch

from qat.data.bundle import DataBundle
from qat.data.census import data_lines, part_words, per_class
from qat.data.in_memory import ImageSet
from qat.data.labels import no_labels
from qat.data.preprocess import Preprocess


def images(counts):
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    return ImageSet(torch.zeros(len(labels), 1, 4, 6, dtype=torch.uint8), labels)


def test_a_line_for_each_part_and_then_the_notes():
    data = DataBundle("it", images([1]), None, images([2]), 1, Preprocess((0.0,), (1.0,)), "abc")
    assert data_lines(replace(data, notes=("1 file left out",))) == [
        "train  1 image of 4x6, 1 channel: class 0 1",
        "test   2 images of 4x6, 1 channel: class 0 2",
        "1 file left out",
    ]


def test_few_classes_are_named_and_many_summarised():
    assert per_class(images([2, 0, 1]), 3, ["ant", "bee", "cat"]) == "ant 2, bee 0, cat 1"
    assert per_class(images([3] * 6), 6) == "6 classes, 3 each"
    assert per_class(images([1, 2, 3, 1, 2, 1500]), 6) == "6 classes, 1 to 1,500 each"


def test_classes_without_an_image_are_named_up_to_five():
    some = per_class(images([1, 0, 2, 0, 1, 1]), 6)
    assert some == "6 classes, 1 to 2 each, 2 without an image (class 1, class 3)"
    many = per_class(images([1]), 8, list("abcdefgh"))
    assert many == "8 classes, 1 to 1 each, 7 without an image (b, c, d, e, f, ...)"


def test_images_without_labels_have_no_classes():
    unlabelled = replace(images([2]), labels=no_labels(2))
    assert part_words(unlabelled, 10) == "2 images of 4x6, 1 channel: no labels"
