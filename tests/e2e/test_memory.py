"""The memory of a run, from the command line to its files."""

import json
from pathlib import Path

import pytest

from tests.command_line import SMALL, TINY

SHORT = [*SMALL, "+data.options.image_size=16", "model=simple_cnn"]
UNREADABLE = """
import torch

class Net(torch.nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.fc = torch.nn.Linear(4, classes)

    def forward(self, x):
        if x.sum() > 1e9:
            x = -x
        return self.fc(self.conv(x).mean(dim=(2, 3)))

def make(classes, in_channels, image_size):
    return Net(classes)
"""


def record_of(out):
    return json.loads(Path(out.strip().splitlines()[-1].removeprefix("record: ")).read_text())


def told(home, record):
    return json.loads((home / "runs" / record["id"] / "memory.json").read_text())


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_a_run_inside_its_arena_and_with_packed_weights(qat, home, placement):
    words = ["run", *SHORT, "mode=static", "scheme=w4a4", f"scheme.placement={placement}"]
    words += ["export=none", "memory.execute=true", "memory.prefetch=true", "memory.batch=2"]
    words += ["tracking.figures=true"]
    code, out, _ = qat(*words)
    assert code == 0
    record = record_of(out)
    found, metrics = told(home, record), record["metrics"]
    for name, prefix in (("float", "float_"), ("network", "")):
        network = found["networks"][name]
        assert network["execution"]["equal"]
        arena = network["execution"]["arena_bytes"]
        assert metrics[f"{prefix}peak_activation_bytes_b2"] == arena
        assert metrics[f"{prefix}arena_workspace_bytes_b2"] > 0
    # Convolution of 32 planes of 16 x 16, two images: its output beside what the pool makes of it.
    floats = 2 * 32 * (16 * 16 + 8 * 8)
    assert metrics["float_peak_activation_bytes_b2"] == 4 * floats
    assert metrics["peak_activation_bytes_b2"] == floats // 2  # 4 bits
    assert found["prefetch"]["most_unpacked"] == 2
    assert found["prefetch"]["peak_unpacked_bytes"] == metrics["peak_unpacked_bytes_b2"]
    ways = {"ordinary", "interpreted", "prefetch", "unpacked_in_turn"}
    assert found["prefetch"]["latency"].keys() == ways
    assert "equal bit for bit" in out
    assert "unpacked at once" in out
    assert {"memory", "memory_layers", "memory_arena"} <= record["artifacts"].keys()
    code, shown, _ = qat("show", str(home / "runs" / record["id"]))
    assert "peak activations, batch 2, reuse+in_place+schedule+widths" in shown


def test_totals_are_sums_and_savings_are_of_float(qat, home):
    record = record_of(qat("run", *SHORT, "mode=static", "scheme=w4a4")[1])
    found = told(home, record)
    for title in ("inference_float", "inference", "training"):
        for part, total in found[title]["totals"].items():
            assert total == sum(row[part] for row in found[title]["rows"])
    before, after = found["inference_float"]["total"], found["inference"]["total"]
    assert found["inference"]["saving_percent"] == pytest.approx(100 * (1 - after / before))
    assert found["training"]["totals"]["optimizer"] == found["training"]["totals"]["gradients"]
    names = found["networks"]["network"]["strategies"].keys()
    assert {"naive", "widths", "reuse", "reuse+in_place", "reuse+schedule"} <= names


def test_strategies_are_switched_and_name_the_run(qat):
    off = ["memory.reuse=false", "memory.in_place=false", "memory.schedule=false"]
    records = [
        record_of(qat("run", *SHORT, "mode=float", *words)[1])
        for words in ([], off, ["memory.in_place=true"])
    ]
    peaks = [record["metrics"]["float_peak_activation_bytes"] for record in records]
    assert peaks[0] == peaks[2] < peaks[1]
    assert records[0]["id"] == records[2]["id"] != records[1]["id"]
    assert "quantizes nothing" in records[0]["unmeasured"]["peak_activation_bytes"]


def test_what_cannot_be_traced_is_run_all_the_same(qat, home, monkeypatch):
    (home / "untraceable_net.py").write_text(UNREADABLE)
    monkeypatch.syspath_prepend(home)
    words = ["run", *SMALL, "model=user", "model.target=untraceable_net:make", "mode=static"]
    code, out, err = qat(*words, "memory.execute=true")
    assert code == 0, err
    record = record_of(out)
    names = ("peak_activation_bytes", "float_peak_activation_bytes", "arena_workspace_bytes")
    for name in names:
        reason = record["unmeasured"][name]
        assert "untraceable_net.py:11 (if x.sum() > 1e9:)" in reason
        assert reason.endswith("per-layer plans still work, only graph planning refuses")
    assert told(home, record)["unplanned"] == reason
    assert "top1" in record["metrics"]


def test_a_run_draws_no_figures_where_none_are_wanted(finished):
    folder, _ = finished(*TINY, "mode=static")
    assert (folder / "memory.json").is_file()
    assert list(folder.rglob("*.png")) == []
