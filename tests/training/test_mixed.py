"""Learning a choice of widths: groups, loss, temperature, and a training that goes on."""

import copy
import math

import pytest
import torch
from torch import nn

from qat.allocate.choice import choice_parameters, choices, choose_widths, set_temperature
from qat.convert.rules import make_plan
from qat.core.scheme import Scheme, TensorSpec
from qat.training.fit import fit
from qat.training.mixed import MixedPrecisionClassifier
from qat.training.specs import OptimizerSpec
from tests.training.watching import At, StopError, same, spec, stop

OPTIMIZER = OptimizerSpec(lr=0.01, weight_decay=1e-3)


@pytest.fixture
def chooser(float_net, images):
    """A network with a choice of 2 or 8 bits in every slot."""
    net = float_net.eval()
    plan = make_plan(net, Scheme(weight=TensorSpec(granularity="channel")), images)
    return choose_widths(net, plan, (2, 8), [images])


def classifier(net, **changes):
    settings = {
        "choices": choice_parameters(net),
        "price": lambda: sum(choice.expected(choice.widths) for _, choice in choices(net)) / 8,
        "price_weight": 2.0,
        "choice_lr": 0.1,
        "set_temperature": lambda value: set_temperature(net, value),
        "temperatures": (1.0, 0.25),
    }
    return MixedPrecisionClassifier(net, OPTIMIZER, **settings | changes)


def test_logits_have_a_group_of_their_own_without_decay(chooser):
    groups = classifier(chooser).parameter_groups()
    assert [g["name"] for g in groups] == ["weights", "widths"]
    widths = groups[-1]
    assert (widths["lr"], widths["weight_decay"]) == (0.1, 0.0)
    assert set(map(id, widths["params"])) == set(map(id, choice_parameters(chooser)))
    every = [id(p) for group in groups for p in group["params"]]
    assert len(every) == len(set(every)) == sum(p.requires_grad for p in chooser.parameters())


def test_the_loss_is_cross_entropy_and_the_price(chooser, images, labels, monkeypatch):
    module = classifier(chooser, price_weight=3.0)
    monkeypatch.setattr(module, "log", lambda *args, **words: None)
    chooser.eval()
    found = module.training_step((images, labels), 0)
    alone = nn.functional.cross_entropy(chooser(images), labels)
    # Four slots of widths 2 and 8, even odds: (4 * 5) / 8 = 2.5.
    assert (found - alone).item() == pytest.approx(3.0 * 2.5, rel=1e-6)
    found.backward()
    logits = choice_parameters(chooser)[0].grad
    assert logits is not None
    assert logits.abs().max() > 0


def test_the_temperature_falls_geometrically(chooser):
    module = classifier(chooser, temperatures=(1.0, 0.25))
    found = [module.temperature(step, 5) for step in range(5)]
    assert found == pytest.approx([1.0, 2**-0.5, 0.5, 2**-1.5, 0.25])
    assert module.temperature(9, 5) == pytest.approx(0.25)
    assert module.temperature(0, 1) == pytest.approx(1.0)


def test_a_dear_price_ends_at_the_narrow_widths(chooser, train_batches, tmp_path):
    module = classifier(chooser, price_weight=50.0)
    fit(module, train_batches, None, spec(max_epochs=4), tmp_path)
    for _, choice in choices(chooser):
        assert choice.widths[int(choice.logits.argmax())] == 2
        assert choice.temperature == pytest.approx(0.25)


def test_a_killed_training_ends_as_an_undisturbed_one(chooser, train_batches, tmp_path):
    other, once = copy.deepcopy(chooser), copy.deepcopy(chooser)
    fit(classifier(chooser), train_batches, None, spec(), tmp_path / "whole")
    killed, kill = classifier(once), [At(1, 2, stop)]
    with pytest.raises(StopError):
        fit(killed, train_batches, None, spec(), tmp_path / "cut", callbacks=kill)
    fit(classifier(other), train_batches, None, spec(), tmp_path / "cut")
    assert same(chooser.state_dict(), other.state_dict())
    before = {name: choice.temperature for name, choice in choices(chooser)}
    assert before == {name: choice.temperature for name, choice in choices(other)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"choices": []}, "no width to learn"),
        ({"price_weight": 0.0}, "price_weight must be above 0"),
        ({"choice_lr": math.nan}, "choice_lr must be above 0"),
        ({"temperatures": (1.0, 0.0)}, "last temperature must be above 0"),
    ],
)
def test_what_cannot_be_trained_is_refused(chooser, changes, words):
    with pytest.raises(ValueError, match=words):
        classifier(chooser, **changes)


def test_torch_is_not_asked_for_more_than_it_has(chooser, images):
    """Gradients reach both the logits and the weights through the mixture."""
    chooser(images).sum().backward()
    grads = [p.grad for p in chooser.parameters() if p.requires_grad]
    assert all(grad is not None and bool(torch.isfinite(grad).all()) for grad in grads)
