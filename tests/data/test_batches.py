"""Batches: complete, repeatable, and independent of what was drawn before."""

import pytest
import torch

from qat.data.augment import Augment
from qat.data.batches import Batches
from qat.data.errors import DataError
from qat.data.in_memory import ImageSet
from qat.data.preprocess import Preprocess
from qat.data.resize import fit

PLAIN = Preprocess((0.0,), (1.0 / 255,))  # gives the pixel values back


def numbered(count=50, size=6):
    """Image i has the value i everywhere and the label i % 10."""
    values = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1)
    return ImageSet(values.expand(-1, 1, size, size).contiguous(), torch.arange(count) % 10)


def noise(count=50, channels=1, size=12):
    generator = torch.Generator().manual_seed(1)
    shape = (count, channels, size, size)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    return ImageSet(images, torch.arange(count) % 10)


def training(**changes):
    options = {"augment": Augment(2), "shuffle": True, "seed": 7, "epoch": 3} | changes
    return Batches(noise(), 16, PLAIN, **options)


def all_images(batches):
    return torch.cat([images for images, _ in batches])


def same(left, right):
    pairs = zip(left, right, strict=True)
    return all(torch.equal(a, b) and torch.equal(x, y) for (a, x), (b, y) in pairs)


def test_without_shuffle_the_order_is_that_of_the_set():
    batches = list(Batches(numbered(), 16, PLAIN))
    assert [len(labels) for _, labels in batches] == [16, 16, 16, 2]
    values = torch.cat([images[:, 0, 0, 0] for images, _ in batches])
    torch.testing.assert_close(values, torch.arange(50.0))
    assert torch.equal(torch.cat([labels for _, labels in batches]), torch.arange(50) % 10)


def test_shuffle_gives_every_image_once_with_its_label():
    values, labels = [], []
    for images, targets in Batches(numbered(), 16, PLAIN, shuffle=True, seed=1):
        values += images[:, 0, 0, 0].round().int().tolist()
        labels += targets.tolist()
    assert sorted(values) == list(range(50))
    assert values != list(range(50))
    assert labels == [value % 10 for value in values]


@pytest.mark.parametrize(("drop_last", "count"), [(False, 4), (True, 3)])
def test_length_is_what_iteration_gives(drop_last, count):
    batches = Batches(numbered(), 16, PLAIN, drop_last=drop_last)
    assert len(batches) == len(list(batches)) == count


def test_a_fresh_object_gives_the_batches_of_any_epoch():
    """As after a restart: nothing is carried over from the epochs before."""
    long_lived = training(epoch=0)
    for epoch in range(3):
        list(long_lived.at_epoch(epoch))
    torch.manual_seed(99)
    assert same(long_lived.at_epoch(3), training())


def test_one_batch_alone_equals_that_batch_of_the_epoch():
    whole = list(training())
    for index in (3, 0, 2):
        images, labels = training().batch(index)
        assert torch.equal(images, whole[index][0])
        assert torch.equal(labels, whole[index][1])


def test_iterating_twice_gives_the_same():
    batches = training()
    assert same(batches, batches)


@pytest.mark.parametrize("changes", [{"seed": 8}, {"epoch": 4}], ids=["seed", "epoch"])
def test_seed_and_epoch_change_the_order_and_the_crops(changes):
    plain = training(augment=None)
    assert not same(plain, training(augment=None, **changes))
    in_order = training(shuffle=False)
    assert not same(in_order, training(shuffle=False, **changes))


def test_each_batch_has_its_own_crops():
    images = noise(count=16).images.repeat(2, 1, 1, 1)
    twice = ImageSet(images, torch.arange(32) % 10)
    (first, _), (second, _) = Batches(twice, 16, PLAIN, Augment(2))
    assert not torch.equal(first, second)


def test_the_global_generator_is_neither_read_nor_moved():
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = all_images(training())
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first, all_images(training()))


@pytest.mark.parametrize("limit", [0, 2**20], ids=["per batch", "kept"])
def test_resize_and_crop_do_not_depend_on_where_they_are_done(limit):
    images = noise()
    preprocess = Preprocess((0.5,), (0.25,), resize=20, crop=16)
    expected = preprocess.normalise(fit(images.images, 20, 16))
    assert torch.equal(all_images(Batches(images, 16, preprocess, memory_limit=limit)), expected)


def test_resized_images_are_kept_between_epochs_and_objects():
    images = noise()
    assert images.resized(20, None, 2**20) is images.resized(20, None, 2**20)
    assert images.resized(20, None, 100) is images


def test_augmentation_comes_after_the_resize():
    images = noise()
    preprocess = Preprocess((0.0,), (1.0,), resize=24)
    batches = Batches(images, 50, preprocess, Augment(3), seed=2)
    padded_black = (all_images(batches) == 0).all(dim=(1, 2))  # columns that are black all over
    assert padded_black.any(dim=1).float().mean() > 0.7  # 6 of 7 shifts sideways leave one
    assert padded_black.sum(dim=1).max() <= 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size must be 1 or more, got 0"),
        ({"batch_size": 64, "drop_last": True}, "50 images give no full batch of 64"),
        ({"preprocess": Preprocess((0.0,) * 3, (1.0,) * 3)}, "the images 1 channel"),
        ({"preprocess": Preprocess((0.0,), (1.0,), crop=13)}, "crop must be at most"),
    ],
)
def test_what_cannot_work_is_refused_before_the_first_batch(options, message):
    with pytest.raises(DataError, match=message):
        Batches(**{"image_set": noise(), "batch_size": 16, "preprocess": PLAIN} | options)


def test_a_batch_that_is_not_there_is_an_index_error():
    with pytest.raises(IndexError, match="batch must be 0 to 3, got 4"):
        training().batch(4)


def test_images_resized_otherwise_when_read_are_refused():
    images = ImageSet(noise().images, noise().labels, fitted=(12, None))
    with pytest.raises(DataError, match="load the data with the same values"):
        Batches(images, 16, PLAIN)
    assert len(Batches(images, 16, Preprocess((0.0,), (1.0,), resize=12))) == 4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gets_the_same_batches():
    on_gpu = Batches(noise().to("cuda"), 16, PLAIN, Augment(2), shuffle=True, seed=7, epoch=3)
    torch.testing.assert_close(all_images(on_gpu).cpu(), all_images(training()))
