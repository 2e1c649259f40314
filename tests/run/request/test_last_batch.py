"""The last batch of an epoch, and batch sizes that make it large enough."""

import pytest

from qat.run.request.last_batch import better_size, check_last_batch, smallest_batch


def sizes(images, batch_size):
    return [len(range(images)[i : i + batch_size]) for i in range(0, images, batch_size)]


@pytest.mark.parametrize(("images", "batch_size"), [(10, 4), (8, 4), (3, 4), (462, 461), (1, 1)])
def test_the_smallest_batch_is_that_of_slices(images, batch_size):
    assert smallest_batch(images, batch_size) == min(sizes(images, batch_size))


@pytest.mark.parametrize(("images", "size", "fewest"), [(462, 461, 2), (7, 3, 2), (129, 128, 4)])
def test_the_better_size_is_the_nearest_that_leaves_enough(images, size, fewest):
    better = better_size(images, size, fewest)
    assert min(sizes(images, better)) >= fewest
    nearer = range(size - abs(size - better) + 1, size + abs(size - better))
    assert all(min(sizes(images, other)) < fewest for other in nearer)


def test_one_image_has_no_better_size():
    assert better_size(1, 8, 2) is None


def test_a_batch_that_is_too_small_is_refused_with_a_size_that_works():
    with pytest.raises(ValueError, match=r"trainer.batch_size=3 leaves a batch of 1 of 7") as error:
        check_last_batch("trainer.batch_size", 7, 3, fewest=1, devices=2)
    assert "trainer.devices=2 cannot share" in str(error.value)
    better = int(str(error.value).rpartition("trainer.batch_size=")[2])
    check_last_batch("trainer.batch_size", 7, better, min(sizes(7, better)), devices=2)


def test_a_network_that_needs_two_images_gets_them():
    with pytest.raises(ValueError, match=r"batch norm over single values .* give more training"):
        check_last_batch("float.batch_size", 1, 8, fewest=0, devices=1)
