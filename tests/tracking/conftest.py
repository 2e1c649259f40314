"""Example records for TensorBoard."""

import pytest

from qat.records.schema import RunRecord


def spec(bits, symmetric, quantizer):
    return {
        "format": "int",
        "bits": bits,
        "symmetric": symmetric,
        "granularity": "channel",
        "quantizer": {"name": quantizer, "target": None, "options": {}},
        "observer": {"name": "mse", "target": None, "options": {}},
    }


@pytest.fixture
def make():
    """A function that makes a finished record of some bit width."""

    def _make(id_="aaa", bits=4, mode="qat", seed=0, quantizer="lsq", **changes):
        layer = {
            "kind": "Conv2d",
            "weight": spec(bits, True, quantizer),
            "act": spec(bits, False, quantizer),
            "output": None,
        }
        plan = {"placement": "academic", "layers": {"a": layer, "b": layer, "c": layer}}
        values = {
            "id": id_,
            "status": "done",
            "mode": mode,
            "seed": seed,
            "plan": None if mode == "float" else plan,
            "protocol": {"data": {"name": "fashion_mini"}, "float": {"model": "simple_cnn"}},
            "metrics": {"top1": 0.87, "packed_bytes": 50_000, "compression": 7.5},
        }
        return RunRecord(**values | changes)

    return _make
