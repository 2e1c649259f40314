"""Example records, as a small study would leave them."""

import pytest

from qat.records.schema import RunRecord


def spec(bits, **changes):
    return {
        "format": "int" if bits < 32 else "float",
        "bits": bits,
        "symmetric": True,
        "granularity": "channel",
        "quantizer": {"name": "lsq", "target": None, "options": {}},
        "observer": {"name": "mse", "target": None, "options": {}},
    } | changes


def plan(weight, act, **changes):
    inner = {"kind": "Conv2d", "weight": spec(weight, **changes), "act": spec(act), "output": None}
    outer = {"kind": "Linear", "weight": spec(8), "act": spec(8), "output": None}
    return {
        "version": 1,
        "placement": "academic",
        "left_float": [],
        "layers": {"first": outer, "inner": inner, "last": outer},
    }


@pytest.fixture
def make():
    """A function that makes a finished record; keyword arguments change its parts."""
    count = 0

    def _make(weight=4, act=4, seed=0, mode="qat", protocol=None, plan_changes=None, **changes):
        nonlocal count
        count += 1
        parts = {
            "data": {"name": "fashion_mini", "digest": "d" * 64},
            "float": {"model": "simple_cnn", "seed": 0, "checkpoint_digest": "c" * 64},
            "calibration": {"images": 1024},
            "training": {"epochs": 3, "optimizer": {"name": "sgd", "lr": 0.01}, "seed": seed},
            "evaluation": {"split": "test"},
        }
        if mode != "qat":
            del parts["training"]
        if mode == "float":
            del parts["calibration"]
        for path, value in (protocol or {}).items():
            part, _, key = path.partition(".")
            parts[part] = {**parts.get(part, {}), key: value}
        values = {
            "id": f"run{count}",
            "status": "done",
            "mode": mode,
            "seed": seed,
            "plan": None if mode == "float" else plan(weight, act, **(plan_changes or {})),
            "protocol": parts,
            "environment": {"commit": "a" * 40, "dirty": False},
        }
        return RunRecord(**values | changes)

    return _make
