"""Scores by rounding errors and gradients, against sums by hand and the images one by one."""

import pytest
import torch
from torch.nn import functional as F

from qat.convert.rules import make_plan
from qat.sensitivity.metrics import GRADIENT, HESSIAN, OUTPUT_KL
from qat.sensitivity.perturbation import add_perturbation_scores, perturbation_scores
from qat.sensitivity.scores import MetricScores
from qat.sensitivity.single_quantizer import fit_quantizers
from qat.sensitivity.widths import slots_of


@pytest.fixture
def fitted(toy, every_layer):
    """Quantizers of the toy network at 2 and 3 bits."""
    net, images, _ = toy
    return fit_quantizers(net, make_plan(net, every_layer, images), [2, 3], [images])


def scores_of(metric, fitted, slots, batches, widths=(2,)):
    tasks = [(slot, bits) for slot in slots for bits in widths]
    scores = perturbation_scores(metric, fitted, tasks, batches)
    return {(*slot, bits): score for slot, bits, score in scores}


def test_weight_mse_by_hand(toy, fitted):
    _, images, labels = toy
    slots = [("0", "weight"), ("1", "weight")]
    errors = scores_of("weight_mse", fitted, slots, [(images, labels)], (2, 3))
    assert errors["0", "weight", 2] == pytest.approx(0.4**2 / 4)
    assert errors["0", "weight", 3] == pytest.approx((0.4 - 1 / 3) ** 2 / 4, rel=1e-4)
    assert errors["1", "weight", 2] == 0


def test_gradient_and_fisher_by_hand(toy, fitted):
    net, images, labels = toy
    slots, batches = [("0", "weight"), ("0", "act")], [(images, labels)]
    gradient = scores_of("gradient", fitted, slots, batches)
    fisher = scores_of("fisher", fitted, slots, batches)
    grads = []
    for image, label in zip(images, labels, strict=True):  # one image at a time
        x = image.clone().requires_grad_()
        loss = F.cross_entropy(net(x), label)
        grads.append(torch.autograd.grad(loss, (net[0].weight, x)))
    error = torch.tensor([[0.0, -0.4], [0.0, 0.0]])
    mean = torch.stack([weight for weight, _ in grads]).mean(0)
    assert gradient["0", "weight", 2] == pytest.approx(abs(float((mean * error).sum())), rel=1e-5)
    squares = 4 * mean.square() * error.square()  # one batch of four
    assert fisher["0", "weight", 2] == pytest.approx(float(squares.sum() / 2), rel=1e-5)
    by_image = torch.stack([x for _, x in grads]) * (images.round() - images)
    assert gradient["0", "act", 2] == pytest.approx(abs(float(by_image.sum() / 4)), rel=1e-5)
    assert fisher["0", "act", 2] == pytest.approx(float(by_image.square().sum() / 8), rel=1e-5)


def test_fisher_of_single_images_is_the_empirical_fisher(toy, fitted):
    net, images, labels = toy
    single = list(zip(images.split(1), labels.split(1), strict=True))
    fisher = scores_of("fisher", fitted, [("0", "weight")], single)
    squares = torch.zeros(2, 2)
    for image, label in single:
        loss = F.cross_entropy(net(image), label)
        squares += torch.autograd.grad(loss, net[0].weight)[0].square() / 4
    expected = float(squares[0, 1] * 0.4**2 / 2)
    assert fisher["0", "weight", 2] == pytest.approx(expected, rel=1e-5)


def test_every_hessian_is_a_pass_of_its_own(case):
    net, plan, batches = case
    fitted = fit_quantizers(net, plan, [2, 4, 32], batches)
    passes = []

    def track(tasks):
        passes.append([len(part) for part in tasks])
        return iter(tasks)

    scores = [
        MetricScores(metric, slots_of(plan), [2, 4, 32])
        for metric in (HESSIAN, GRADIENT, OUTPUT_KL)
    ]
    options = {"tolerance": 0.5, "max_probes": 1000}
    add_perturbation_scores(fitted, scores, batches, track=track, hessian=options)
    assert passes == [[2] * 8, [16]]  # four layers, weight and input, two widths
    assert [len(each.missing()) for each in scores] == [0, 0, 24]  # float is known without a pass
