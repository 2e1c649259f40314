"""What an image set accepts, and its digest."""

import pytest
import torch

from qat.data.errors import DataError
from qat.data.in_memory import ImageSet


def images(count=4):
    return torch.arange(count * 12, dtype=torch.uint8).view(count, 3, 2, 2)


def labels(count=4):
    return torch.arange(count)


@pytest.mark.parametrize(
    ("pixels", "classes", "message"),
    [
        (images().float(), labels(), r"uint8 tensor \[N, C, H, W\], got float32 \[4, 3, 2, 2\];"),
        (images() * torch.nan, labels(), "got float32 .* with NaN; scale"),
        (images()[0], labels(), r"got uint8 \[3, 2, 2\]"),
        (images(), labels().int(), r"int64 tensor \[N\], got int32 \[4\]"),
        (images(), labels()[:, None], r"got int64 \[4, 1\]"),
        (images(), labels(3), "4 images and 3 labels"),
        (images(), labels() - 1, "labels must be 0 or more, got -1"),
        (images()[:0], labels()[:0], "there must be images"),
    ],
)
def test_wrong_types_shapes_and_labels_are_refused(pixels, classes, message):
    with pytest.raises(DataError, match=message) as caught:
        ImageSet(pixels, classes)
    assert "\n" not in str(caught.value)


def test_it_is_frozen():
    with pytest.raises(AttributeError):
        ImageSet(images(), labels()).labels = labels()


def test_subset_keeps_the_order_asked_for():
    part = ImageSet(images(), labels()).subset(torch.tensor([2, 0]))
    assert part.labels.tolist() == [2, 0]
    assert torch.equal(part.images, images()[[2, 0]])


def test_digest_sees_a_pixel_a_label_and_the_shape():
    whole = ImageSet(images(), labels())
    pixel = images()
    pixel[3, 2, 1, 1] += 1
    changed = labels()
    changed[0] = 1
    others = [
        ImageSet(pixel, labels()),
        ImageSet(images(), changed),
        ImageSet(images().view(4, 3, 1, 4), labels()),
    ]
    digests = {each.digest() for each in (whole, *others)}
    assert len(digests) == 4
    assert ImageSet(images(), labels()).digest() == whole.digest()


def test_digest_sees_values_and_not_memory_layout():
    turned = images().permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert ImageSet(turned, labels()).digest() == ImageSet(images(), labels()).digest()
