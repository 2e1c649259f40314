"""Rates at given steps, by hand."""

import pytest
import torch
from torch.optim import SGD

from qat.training.schedules import make_schedule, rate_factor
from qat.training.specs import ScheduleSpec

# Ten steps an epoch, four epochs.
CASES = [
    pytest.param({"name": "constant"}, {0: 1.0, 39: 1.0}, id="constant"),
    pytest.param(
        {"name": "step", "step_size": 2, "gamma": 0.5}, {19: 1.0, 20: 0.5, 39: 0.5}, id="step"
    ),
    pytest.param(
        {"name": "multistep", "milestones": (1, 3), "gamma": 0.1},
        {9: 1.0, 10: 0.1, 29: 0.1, 30: 0.01},
        id="multistep",
    ),
    # cos 0, cos 45 degrees, cos 90, cos 180.
    pytest.param(
        {"name": "cosine"}, {0: 1.0, 10: (1 + 0.5**0.5) / 2, 20: 0.5, 40: 0.0}, id="cosine"
    ),
    # Of a rate of 0.2 down to 0.05: half way between 1 and a quarter.
    pytest.param(
        {"name": "cosine", "min_lr": 0.05}, {0: 1.0, 20: 0.625, 40: 0.25}, id="cosine to min_lr"
    ),
    pytest.param(
        {"name": "constant", "warmup_epochs": 0.5}, {0: 0.2, 3: 0.8, 4: 1.0, 5: 1.0}, id="warm-up"
    ),
    # The cosine spans the 30 steps after the warm-up.
    pytest.param(
        {"name": "cosine", "warmup_epochs": 1},
        {0: 0.1, 9: 1.0, 10: 1.0, 25: 0.5, 40: 0.0},
        id="warm-up, then cosine",
    ),
    pytest.param(
        {"name": "multistep", "milestones": (1,), "gamma": 0.1, "warmup_epochs": 2},
        {9: 0.5, 10: 0.055, 20: 0.1},
        id="a milestone within the warm-up",
    ),
]


@pytest.mark.parametrize(("values", "by_hand"), CASES)
def test_factor_follows_the_formula(values, by_hand):
    factor = rate_factor(ScheduleSpec(**values), lr=0.2, steps_per_epoch=10, total_steps=40)
    assert {step: factor(step) for step in by_hand} == pytest.approx(by_hand)


def test_all_groups_follow_the_same_course():
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in (0.2, 0.01)]
    optimizer = SGD(groups, lr=0.2)
    spec = ScheduleSpec(name="multistep", milestones=(1,))
    schedule = make_schedule(optimizer, spec, lr=0.2, steps_per_epoch=2, total_steps=4)
    rates = []
    for _ in range(4):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    expected = [[0.2, 0.01], [0.2, 0.01], [0.02, 0.001], [0.02, 0.001]]
    assert [pytest.approx(row) for row in expected] == rates


def test_min_lr_above_lr_is_refused():
    with pytest.raises(ValueError, match=r"min_lr=0\.3 is above optimizer\.lr=0\.2"):
        rate_factor(
            ScheduleSpec(name="cosine", min_lr=0.3), lr=0.2, steps_per_epoch=1, total_steps=1
        )
