"""The distilled loss against hand sums."""

import math

import pytest
import torch
from torch import nn

from qat.training.aids.distillation import (
    Distillation,
    feature_distance,
    features_of,
    softened_divergence,
)
from qat.training.aids.spec import DistillationSpec


def softmax(values):
    total = sum(map(math.exp, values))
    return [math.exp(value) / total for value in values]


def test_the_divergence_is_the_sum_by_hand():
    student, teacher, temperature = [0.0, 1.0, -1.0], [2.0, 0.0, 0.5], 2.0
    p, q = (softmax([v / temperature for v in logits]) for logits in (teacher, student))
    expected = temperature**2 * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    value = softened_divergence(torch.tensor([student]), torch.tensor([teacher]), temperature)
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_the_share_mixes_it_with_the_cross_entropy():
    teacher = nn.Linear(2, 3)
    images, logits = torch.ones(1, 2), torch.zeros(1, 3)
    distilled = softened_divergence(logits, teacher(images), 4.0).item()
    total = Distillation(teacher, DistillationSpec(weight=0.25))(
        torch.tensor(2.0), logits, images, {}
    )
    assert total.item() == pytest.approx(0.75 * 2.0 + 0.25 * distilled, rel=1e-5)


def test_features_are_relative_to_the_teachers():
    student, teacher = {"a": torch.tensor([1.0, 1.0])}, {"a": torch.tensor([3.0, 1.0])}
    assert float(feature_distance(student, teacher)) == pytest.approx(4 / 10)


def test_features_are_read_and_no_hook_stays():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    with features_of(net, ["0"]) as features:
        y = net(torch.ones(1, 2))
    assert torch.equal(features["0"].relu(), y)
    assert not net[0]._forward_hooks


def test_a_teacher_of_another_class_count_is_refused():
    distillation = Distillation(nn.Linear(2, 4), DistillationSpec(weight=1.0))
    with pytest.raises(ValueError, match="the teacher has 4 classes and the student 3"):
        distillation(torch.tensor(0.0), torch.zeros(1, 3), torch.ones(1, 2), {})


def test_a_name_that_does_not_exist_is_refused():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    with pytest.raises(KeyError, match="no module 'layer9'; it has 0, 1"):
        Distillation(net, DistillationSpec(features=("layer9",)))


def test_the_teacher_gets_no_gradient():
    teacher = nn.Linear(2, 3)
    logits = torch.zeros(1, 3, requires_grad=True)
    spec = DistillationSpec(weight=1.0)
    Distillation(teacher, spec)(torch.tensor(0.0), logits, torch.ones(1, 2), {}).backward()
    assert teacher.weight.grad is None
    assert bool((logits.grad != 0).any())
