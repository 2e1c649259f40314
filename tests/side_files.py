"""A whole file of each kind that lies beside a run's record, written by hand."""

import json

LAYERS = [
    {
        "name": "conv",
        "slot": "weight",
        "sqnr_db": 20.5,
        "bits": 4,
        "symmetric": True,
        "granularity": "channel",
        "step": 0.125,
        "rmin": -1.0,
        "rmax": 0.875,
        "used_codes": 0.75,
        "clipped": 0.0,
        "max_error_steps": 0.5,
        "rms_error_steps": 0.25,
        "worst_channel_db": 15.0,
        "channel_range_ratio": 2.0,
        "dead_channels": 0,
        "alone_db": None,
    },
    {"name": "conv", "slot": "output", "sqnr_db": 12.5, "alone_db": 13.0},
    {"name": "relu", "slot": "output", "sqnr_db": None},
]

SIZES = [
    {
        "name": "conv",
        "kind": "Conv2d",
        "bits": 4,
        "simulated_bytes": 400,
        "theoretical_bytes": 54,
        "written_bytes": 56,
    },
    {
        "name": "",
        "kind": "header",
        "bits": 0,
        "simulated_bytes": 0,
        "theoretical_bytes": 0,
        "written_bytes": 120,
    },
]

LATENCY = {
    "spec": {
        "batches": [64],
        "threads": [2],
        "repeats": 50,
        "blocks": 10,
        "warmup": 10,
        "settle_ms": 50,
    },
    "rows": [
        {
            "runtime": "onnxruntime",
            "version": "1.0",
            "network": network,
            "batch": 64,
            "threads": 2,
            "median_ms": 2.0,
            "lower_ms": 1.5,
            "upper_ms": 2.5,
            "repeats": 50,
        }
        for network in ("float", "network")
    ],
    "speedups": [
        {
            "runtime": "onnxruntime",
            "network": "network",
            "baseline": "float",
            "batch": 64,
            "threads": 2,
            "median": 1.5,
            "lower": 1.4,
            "upper": 1.6,
            "blocks": 10,
        }
    ],
    "layers": {"float": {"conv": 9.0}, "network": {"conv": 0.25, "": 0.5}},
}

LOGITS = {
    "images": 200,
    "top1_agreement": 0.995,
    "max_steps": 2.0,
    "within_one_step": 0.9,
    "sqnr_db": 40.0,
}
PARITY = {
    "gate": "passed",
    "cause": "equal",
    "reason": "",
    "thresholds": {
        "top1_agreement": 0.999,
        "within_one_step": 0.998,
        "max_steps": 4.0,
        "sqnr_db": None,
        "layer_steps": 1.0,
        "allow_ties": True,
    },
    "execution": {
        "runtime": "onnxruntime",
        "version": "1.0",
        "instructions": "avx512_vnni",
        "may_saturate": False,
        "layers": 3,
        "float_layers": [],
        "float16_products": None,
        "nodes": 9,
        "integer_nodes": 3,
    },
    "logits": {"optimizations on": LOGITS},
    "first_diverging": {
        "optimizations on": {
            "name": "conv1",
            "max_steps": 1.0,
            "within_one_step": 1.0,
            "differing": 0.01,
        }
    },
    "sensitivity": None,
    "reference": {**LOGITS, "images": 4, "max_steps": 1.0, "sqnr_db": "inf"},
    "layers": [{"name": "a", "max_steps": "nan", "within_one_step": 1.0, "differing": 0.0}],
    "accumulators": [
        {"name": "a", "worst_bits": 20, "seen_bits": 12, "overflows": [16]},
        {"name": "b", "worst_bits": 26, "seen_bits": 15, "overflows": [16, 24]},
    ],
    "saturated_biases": {"a": 1},
}


def _operation(name, kind, parameters, activations):
    return {
        "name": name,
        "kind": kind,
        "parameters": parameters,
        "buffers": 0,
        "activations": activations,
        "gradients": 0,
        "optimizer": 0,
    }


def _table(total, saving, *rows):
    parts = ("parameters", "buffers", "activations", "gradients", "optimizer")
    totals = {part: sum(row[part] for row in rows) for part in parts}
    return {
        "rows": list(rows),
        "totals": totals,
        "total": total,
        "saving_percent": saving,
        "assumed": [],
    }


_SIZE = {
    "bytes": 3072,
    "lower_bound_bytes": 2048,
    "excess": 0.5,
    "saving_percent": 25.0,
    "seconds": 0.125,
}
_NAIVE = _SIZE | {"bytes": 4096, "excess": 1.0, "saving_percent": 0.0}
ARENA = {
    "order": ["x", "conv", "relu"],
    "blocks": [
        {
            "name": "x",
            "bytes": 1024,
            "first": 0,
            "last": 1,
            "members": ["x"],
            "offset": 2048,
            "bits": 8,
        },
        {
            "name": "c",
            "bytes": 2048,
            "first": 1,
            "last": 2,
            "members": ["c", "relu"],
            "offset": 0,
            "bits": 32,
        },
    ],
    "arena": _SIZE,
    "strategies": {"naive": _NAIVE, "reuse": _SIZE},
    "execution": {
        "equal": True,
        "images": 1,
        "arena_bytes": 512,
        "workspace_bytes": 1024,
        "allocated_bytes": 1536,
        "ordinary_allocated_bytes": 2048,
        "coded_tensors": 1,
    },
}
_FLOAT_ROWS = (_operation("conv", "conv2d", 1024, 2048), _operation("relu", "relu", 0, 2048))
_PASS = {"median_ms": 2.0, "lower_ms": 1.0, "upper_ms": 3.0, "repeats": 20}
_WAYS = ("ordinary", "interpreted", "prefetch", "unpacked_in_turn")
UNPLANNED = {
    "batch": 1,
    "strategy": "reuse",
    "image_shape": [3, 8, 8],
    "unplanned": "it branches on a tensor",
}
MEMORY = {
    "batch": 1,
    "strategy": "reuse",
    "image_shape": [3, 8, 8],
    "optimizer": "adam",
    "inference_float": _table(5120, 0.0, *_FLOAT_ROWS),
    "training": _table(5120, 0.0, *_FLOAT_ROWS),
    "inference": _table(640, 87.5, _operation("conv", "conv2d", 128, 512)),
    "weight_bits": {"conv": 4},
    "stored_bits": {"conv": 8},
    "networks": {"float": ARENA, "network": ARENA},
    "prefetch": {
        "layers": 2,
        "packed_weight_bytes": 1024,
        "float_weight_bytes": 8192,
        "peak_unpacked_bytes": 2048,
        "peak_unpacked_in_turn_bytes": 1024,
        "buffer_bytes": 2048,
        "most_unpacked": 2,
        "unpack_ms": 0.5,
        "wait_ms": 0.25,
        "threads": 1,
        "latency": dict.fromkeys(
            ("ordinary", "interpreted", "prefetch", "unpacked_in_turn"), _PASS
        ),
    },
}

SENSITIVITY = {
    "version": 1,
    "metric": "loss",
    "unit": "",
    "higher_is_worse": True,
    "digest": "ab12",
    "rows": [
        {"layer": "conv", "slot": "weight", "bits": 4, "score": 0.5},
        {"layer": "conv", "slot": "weight", "bits": 8, "score": "-inf"},
        {"layer": "conv", "slot": "act", "bits": 4, "score": 2},
    ],
}

_CORRELATION = {"value": 0.9, "low": 0.8, "high": 0.95}
ALLOCATION = {
    "version": 2,
    "allocator": "greedy",
    "trained": False,
    "metric": "loss",
    "unit": "",
    "predicted_harm": 0.5,
    "budgets": [{"name": "weight_bytes", "limit": 1000.0, "spent": 750}],
    "slots": [
        {"layer": "conv", "slot": "weight", "bits": 4, "score": 0.5},
        {"layer": "conv", "slot": "act", "bits": 8, "score": None},
    ],
    "front": [{"weight_bytes": 750, "predicted_harm": 0.5}],
    "rounds": [
        {"plans": [{"harm": 0.75, "bits": [["conv", "weight", 4]]}], "harm": 0.75},
        {"plans": [], "harm": 0.75},
    ],
    "check": {
        "agreement": {
            "spearman": _CORRELATION,
            "kendall": _CORRELATION,
            "plans": 5,
            "confidence": 0.95,
        },
        "plans": [{"harm": 0.75, "top1": 0.5, "bits": [["conv", "weight", 4]]}],
    },
}

PTQ = {
    "version": 1,
    "images": 64,
    "test_images": 200,
    "float_top1": 0.9,
    "rows": [
        {
            "step": "fold",
            "network": "float",
            "options": "",
            "seconds": 0.25,
            "logit_sqnr_db": None,
            "top1": 0.9,
        },
        {
            "step": "adaround",
            "network": "quantized",
            "options": "iterations=10 batch_size=4",
            "seconds": 2.5,
            "logit_sqnr_db": 20.5,
            "top1": None,
        },
    ],
}

HISTORY = "step,layer,slot,metric,value\n1,conv,weight,scale,0.5\n"


def changed(data, place, value):
    """A copy with another value at a place of keys and indices."""
    data = json.loads(json.dumps(data))
    holder = data
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    return data


def without(data, place):
    """A copy without the key at a place."""
    data = json.loads(json.dumps(data))
    holder = data
    for key in place[:-1]:
        holder = holder[key]
    del holder[place[-1]]
    return data
