"""Learned widths: what a training is given, and the table that remains; nothing is trained."""

import math

import pytest

from qat.run.mixed import learned
from qat.run.mixed.candidates import candidates
from qat.run.mixed.learned import learned_table

OPTIONS = {"epochs": 3, "images": 6, "optimizer": "sgd", "choice_lr": 0.1, "price_weight": 1.0}


@pytest.fixture
def fits(monkeypatch):
    calls = []

    def fit(module, batches, validation, spec, folder, *, seed, callbacks):
        calls.append((module, batches, spec, seed))

    monkeypatch.setattr(learned, "fit", fit)
    return calls


@pytest.fixture
def choice(make_choice):
    changes = {"allocate__name": "learned", "allocate__options": {**OPTIONS, "lr": 0.01}}
    return candidates(*make_choice(**changes, sensitivity__seed=5))


def test_the_training_is_that_of_the_options(choice, fits):
    learned_table(choice)
    [(module, batches, spec, seed)] = fits
    assert (spec.max_epochs, spec.keep, seed) == (3, "last", 5)
    assert len(batches(0).image_set) == 6
    # The mean of 2, 4 and 8 bits overruns both budgets, weight bytes and BOPs at 4 bits, by 1/6.
    assert module.price().item() == pytest.approx(1 / 6 + 1 / 6)


def test_every_width_of_every_free_slot_has_a_harm_and_it_is_learned_once(choice, fits):
    table = learned_table(choice)
    assert {(row.layer, row.slot, row.bits) for row in table.rows} == {
        (layer, slot, bits) for layer, slot in choice.free for bits in (2, 4, 8)
    }
    assert learned_table(choice).rows == table.rows
    assert len(fits) == 1


def test_an_untrained_choice_prefers_no_width(choice, fits):
    scores = [row.score for row in learned_table(choice).rows]
    assert scores == pytest.approx([math.log(3)] * 9)
