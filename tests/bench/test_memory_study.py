"""The memory study's files, from a report and a run made by hand."""

import csv

import pytest

from bench import memory_study
from qat.records.side_files.memory import MemoryFile
from tests.side_files import MEMORY

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


@pytest.mark.slow
def test_tables_and_figures(tmp_path):
    network = dict.fromkeys(memory_study.ORDER, ROW) | {"executed": RAN}
    results = {"networks": {"net": network}, "schedules": {"branches": GAIN}}
    memory_study.write(results, {"net w8a8": MemoryFile.from_data(MEMORY)}, tmp_path)
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
