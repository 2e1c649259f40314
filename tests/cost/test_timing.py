import pytest
import torch
from torch import nn

from qat.cost import timing
from qat.cost.timing import time_forwards


class Counting(nn.Module):
    def __init__(self, log, name):
        super().__init__()
        self.log, self.name = log, name

    def forward(self, x):
        assert not self.training
        assert torch.is_inference_mode_enabled()
        self.log.append(self.name)
        return x


def test_networks_take_turns_and_warm_up_apart():
    log = []
    nets = {name: Counting(log, name) for name in "ab"}
    found = time_forwards(nets, torch.zeros(1), repeats=3, warmup=2)
    assert log == ["a", "b"] * 5
    assert {name: taken.repeats for name, taken in found.items()} == {"a": 3, "b": 3}


def test_median_and_quartiles_of_the_timed_passes(monkeypatch):
    seconds = iter([9.0, 0.004, 0.001, 0.002, 0.003, 0.005])
    monkeypatch.setattr(timing, "_forward_seconds", lambda net, batch: next(seconds))
    (taken,) = time_forwards({"a": nn.Identity()}, torch.zeros(1), repeats=5, warmup=1).values()
    assert (taken.lower_ms, taken.median_ms, taken.upper_ms) == pytest.approx((1.5, 3.0, 4.5))


def test_one_pass_is_its_own_spread(monkeypatch):
    monkeypatch.setattr(timing, "_forward_seconds", lambda net, batch: 0.002)
    (taken,) = time_forwards({"a": nn.Identity()}, torch.zeros(1), repeats=1).values()
    assert (taken.lower_ms, taken.median_ms, taken.upper_ms) == (2.0, 2.0, 2.0)


def test_modes_are_given_back_and_no_repeats_are_refused():
    net = nn.Dropout()
    time_forwards({"a": net}, torch.zeros(1), repeats=1)
    assert net.training
    with pytest.raises(ValueError, match="repeats must be 1 or more, got 0"):
        time_forwards({"a": net}, torch.zeros(1), repeats=0)
