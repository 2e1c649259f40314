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
            "training": {"max_epochs": 3, "optimizer": {"name": "sgd", "lr": 0.01}, "seed": seed},
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


def planned(bits, **names):
    """A plan whose inner layer has these methods for both weight and input."""
    found = plan(bits, bits)
    inner = found["layers"]["inner"]
    for slot in ("weight", "act"):
        for kind, name in names.items():
            inner[slot][kind] = {"name": name, "target": None, "options": {}}
    return found


METHODS = {"lsq": 0.90, "minmax": 0.80, "pact": 0.899}


@pytest.fixture
def study(make):
    """Three methods at two widths over three seeds; pact and lsq do not differ significantly."""
    noise = {"lsq": (0.0, 0.01, 0.02), "minmax": (0.0, 0.01, 0.02), "pact": (0.002, 0.008, 0.0209)}
    return [
        make(
            bits,
            bits,
            seed=seed,
            plan=planned(bits, quantizer=name),
            metrics={
                "top1": level + noise[name][seed] - (8 - bits) / 100,
                "packed_bytes": 1024 * bits,
                "bops": 1e9 * bits * bits,
                "top1_drop": 0.95 - level,
                "latency_ms": 1.5,
            },
        )
        for name, level in METHODS.items()
        for bits in (8, 4)
        for seed in range(3)
    ]


def lines(text):
    """Cells of each line of a Markdown table."""
    return [[c.strip() for c in line.strip("| ").split("|")] for line in text.splitlines()]


def two_networks(make):
    """One network keeps 0.9, the other 0.5; the same two methods on both."""
    levels = {"simple_cnn": 0.9, "resnet20": 0.5}
    return [
        make(
            seed=seed,
            plan=planned(4, quantizer=name),
            protocol={"float.model": model},
            metrics={"top1": level - step + seed / 100},
        )
        for model, level in levels.items()
        for name, step in (("lsq", 0.0), ("minmax", 0.2))
        for seed in range(3)
    ]


def seeds(make, top1, weight=4, method="lsq", **changes):
    """Three runs about one accuracy."""
    quantizer = {"quantizer": {"name": method, "target": None, "options": {}}}
    return [
        make(
            weight, weight, s, plan_changes=quantizer, metrics={"top1": top1 + s / 1000}, **changes
        )
        for s in range(3)
    ]
