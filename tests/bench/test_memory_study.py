"""The memory study's files, from a report and a run made by hand."""

import csv

from bench import memory_study

ROW = {
    "arena_bytes": 1024,
    "lower_bound_bytes": 1000,
    "excess": 0.024,
    "saving": 0.75,
    "seconds": 0.5,
}
RAN = {
    "equal": True,
    "arena_bytes": 1024,
    "workspace_bytes": 2048,
    "allocated_peak_bytes": 3072,
    "ordinary_allocated_peak_bytes": 4096,
}
GAIN = {"own_order_bytes": 4096, "best_bytes": 1024, "saving": 0.75, "exact": True}
TIME = {"median_ms": 2.0, "lower_ms": 1.0, "upper_ms": 3.0, "repeats": 20}
EXECUTION = {
    "arena_bytes": 512,
    "workspace_bytes": 1024,
    "allocated_bytes": 1536,
    "ordinary_allocated_bytes": 2048,
}
ARENA = {
    "order": ["x"],
    "arena": {"bytes": 512, "lower_bound_bytes": 512},
    "blocks": [{"members": ["x"], "bytes": 512, "first": 0, "last": 0, "offset": 0, "bits": 8}],
    "execution": EXECUTION,
}
LAYERS = {"rows": [{"name": "conv", "parameters": 4, "activations": 8}]}
TOLD = {
    "batch": 1,
    "networks": {"network": ARENA},
    "inference_float": LAYERS,
    "inference": LAYERS,
    "weight_bits": {"conv": 4},
    "stored_bits": {"conv": 8},
    "prefetch": {
        "float_weight_bytes": 8192,
        "packed_weight_bytes": 1024,
        "peak_unpacked_bytes": 2048,
        "peak_unpacked_in_turn_bytes": 1024,
        "latency": dict.fromkeys(("ordinary", "interpreted", "prefetch", "unpacked_in_turn"), TIME),
    },
}


def test_tables_and_figures(tmp_path):
    network = dict.fromkeys(memory_study.ORDER, ROW) | {"executed": RAN}
    results = {"networks": {"net": network}, "schedules": {"branches": GAIN}}
    memory_study.write(results, {"net w8a8": TOLD}, tmp_path)
    text = (tmp_path / "table.md").read_text()
    assert "| net | 1 | 1 | 1 | 1 | 1 | 1 | 1 |" in text
    assert "| net | 75.00 |" in text
    assert "| net | 2.40 |" in text
    assert "| branches | 4 | 1 | 75.0 % | yes |" in text
    assert "| net | yes | 1 | 2 | 3 | 4 |" in text
    assert "| net w8a8 | network | 0.5 | 1.0 | 1.5 | 2.0 |" in text
    assert "| net w8a8 | prefetch | 3.0 | 2.00 (1.00 to 3.00), n = 20 |" in text
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["strategy"] for row in rows] == list(memory_study.ORDER)
    assert rows[0]["arena_bytes"] == "1024"
    drawn = {path.name for path in (tmp_path / "figures").iterdir()}
    names = ("strategies", "net_w8a8_arena", "net_w8a8_layers")
    assert drawn == {f"{name}.{kind}" for name in names for kind in ("png", "svg", "pdf")}
