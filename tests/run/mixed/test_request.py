"""How the widths of a run are chosen."""

import torch

from qat.run.mixed.request import mixed_request


def images_of(request):
    return torch.cat([images for images, _ in request.sensitivity_images])


def test_values_are_those_of_the_groups(make_config, make_prepared):
    config = make_config(
        "mixed", allocate__bops=5.0, mixed__check_plans=6, data__augment__flip=True
    )
    prepared = make_prepared("mixed")
    request = mixed_request(config, prepared.scheme, prepared.calibration)
    assert (request.allocate.bops, request.check.check_plans) == (5.0, 6)
    assert (request.training_batch_size, request.accelerator) == (8, "cpu")
    assert request.augment.flip
    assert request.sensitivity is config.sensitivity


def test_images_are_the_same_for_all_seeds_of_a_run(make_choice):
    (first, _), (second, _), (other, _) = (
        make_choice(**changes) for changes in ({}, {"seed": 4}, {"sensitivity__seed": 4})
    )
    assert len(images_of(first)) == 8
    assert torch.equal(images_of(first), images_of(second))
    assert not torch.equal(images_of(first), images_of(other))
