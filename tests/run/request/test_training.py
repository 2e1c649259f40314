"""How a run's networks are trained."""

import torch

from qat.data.augment import Augment
from qat.run.request.training import (
    augmentation,
    float_training_request,
    quantized_training_request,
)


def test_each_network_has_its_own_settings(make_config):
    config = make_config(
        "qat", seed=5, float__seed=9, optimizer__lr=0.5, trainer__keep="last", float__epochs=7
    )
    floating, quantized = float_training_request(config), quantized_training_request(config)
    assert (floating.fit.max_epochs, quantized.fit.max_epochs) == (7, 2)
    assert (floating.seed, quantized.seed) == (9, 5)
    assert (floating.optimizer.lr, quantized.optimizer.lr) == (0.01, 0.5)
    assert (floating.fit.keep, quantized.fit.keep) == ("best", "last")
    assert (floating.batch_size, quantized.batch_size) == (128, 8)


def test_batches_of_training_are_shuffled_and_those_of_validation_are_not(make_prepared):
    prepared = make_prepared("qat")
    data, request = prepared.data, prepared.training
    labels = torch.cat([batch for _, batch in request.batches(data)])
    assert sorted(labels.tolist()) == sorted(data.train.labels.tolist())
    assert labels.tolist() != data.train.labels.tolist()
    [(images, labels)] = request.validation(data)
    assert torch.equal(labels, data.val.labels)
    assert torch.equal(images, data.preprocess(data.val.images))


def test_augmentation_is_none_without_crop_and_flip(make_config):
    assert augmentation(make_config()) is None
    assert augmentation(make_config(data__augment__pad=2)) == Augment(2, False)
    assert augmentation(make_config(data__augment__flip=True)) == Augment(0, True)
