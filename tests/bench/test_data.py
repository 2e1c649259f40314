"""Both sides of the data benchmark give the same kind of batches."""

import itertools

import torch

from bench.data import PerSample, batches_per_second, in_memory_batches
from qat.data import load_data
from qat.data.request import DataRequest


def test_per_sample_images_have_the_distribution_of_the_whole_batch_ones():
    data = load_data(DataRequest("synthetic", train_images=256, val_fraction=0, image_size=16))
    samples = PerSample(data.train, data.mean, data.std)
    one_by_one = torch.stack([samples[index][0] for index in range(len(samples))])
    epoch = list(itertools.islice(in_memory_batches(data, 64), 4))
    at_once = torch.cat([images for images, _ in epoch])
    assert at_once.shape == one_by_one.shape
    # both hold every image once, shifted and flipped at random
    torch.testing.assert_close(at_once.mean(), one_by_one.mean(), rtol=0, atol=0.05)
    torch.testing.assert_close(at_once.std(), one_by_one.std(), rtol=0, atol=0.05)
    labels = torch.cat([labels for _, labels in epoch])
    assert torch.equal(labels.bincount(), torch.tensor(samples.labels).bincount())


def test_endless_batches_pass_from_epoch_to_epoch():
    data = load_data(DataRequest("synthetic", train_images=40, val_fraction=0, image_size=8))
    source = in_memory_batches(data, 16)  # 2 full batches an epoch
    (first, _), _, (third, _) = itertools.islice(source, 3)
    assert not torch.equal(first, third)
    assert batches_per_second(source, 5) > 0
