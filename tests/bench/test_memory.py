"""The memory benchmark: what it reports, and the bounds that planning must hold."""

import json

import pytest

from bench import memory


def report(words, tmp_path, capsys):
    memory.main([*words, "--out", str(tmp_path / "memory.json")])
    found = json.loads((tmp_path / "memory.json").read_text())
    assert found == json.loads(capsys.readouterr().out)
    return found["results"]


def test_reports_every_strategy_and_the_run(tmp_path, capsys):
    words = ["--models", "simple_cnn", "--batch", "2", "--execute", "--no-schedules"]
    found = report(words, tmp_path, capsys)["networks"]["simple_cnn"]
    # 2 images: convolution, batch norm and ReLU of 32 x 32 x 32, and so on, in float32.
    planes = 3 * (32 * 32 * 32 + 64 * 16 * 16 + 128 * 8 * 8)
    pooled = 32 * 16 * 16 + 64 * 8 * 8 + 128 * 4 * 4
    assert found["naive"]["lower_bound_bytes"] == 8 * (3072 + planes + pooled + 2 * 512 + 10)
    assert found["reuse+in_place"]["lower_bound_bytes"] == 8 * (32 * 32 * 32 + 32 * 16 * 16)
    assert found["executed"]["equal"]
    assert found["executed"]["allocated_peak_bytes"] >= found["executed"]["workspace_bytes"]
    assert found["executed"]["arena_bytes"] == found["reuse+in_place+schedule"]["arena_bytes"]


LEAST_SAVING = {"simple_cnn": 0.4, "resnet20": 0.5, "resnet18": 0.5, "mobilenet_v2": 0.5}
MOST_EXCESS = {**dict.fromkeys(LEAST_SAVING, 0.01), "googlenet": 0.05, "densenet121": 0.05}


SLOW = ("densenet121",)
NAMES = [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in MOST_EXCESS]


@pytest.mark.parametrize("name", NAMES)
def test_arenas_are_near_their_lower_bound(name):
    found = memory.measure(name, batch=1, execute=False)
    for strategy in ("reuse", "reuse+in_place", "reuse+in_place+schedule"):
        assert found[strategy]["excess"] <= MOST_EXCESS[name]
    assert found["reuse+in_place"]["saving"] >= LEAST_SAVING.get(name, 0)


def test_orders_save_where_there_are_branches():
    gains = memory.schedules(batch=1)
    assert all(gain["exact"] for gain in gains.values())
    # 32 x 32 planes: 64 + 64 + 8 channels, against 8 + 8 + 64.
    assert gains["two_branches"]["own_order_bytes"] == 4 * 1024 * 136
    assert gains["two_branches"]["best_bytes"] == 4 * 1024 * 80
    # Module 4a, planes of 14 x 14: 480 in, branches of 192, 208, 48 and a pooled 480; else the
    # concatenation of 512 beside its parts.
    module = gains["googlenet.inception4a"]
    assert module["own_order_bytes"] == 4 * 196 * (480 + 192 + 208 + 48 + 480)
    assert module["best_bytes"] == 4 * 196 * 2 * 512
    # The stem is a chain of larger tensors: 64 planes of 112 x 112 and of 56 x 56.
    assert gains["googlenet"]["own_order_bytes"] == 4 * 64 * (112**2 + 56**2)
    assert gains["googlenet"]["saving"] == 0
