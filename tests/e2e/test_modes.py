"""Each mode from the command line to its record."""

import json
import re
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.command_line import TINY

SHORT = [*TINY, "model=simple_cnn"]
COMMON = {
    "float_top1", "top1", "float_top5", "top5", "float_loss", "loss", "float_bytes", "macs", "bops",
    "float_eager_latency_ms", "float_peak_activation_bytes", "weight_bytes",
    "average_weight_bits",
}  # fmt: skip
QUANTIZED = COMMON | {
    "top1_drop", "top1_drop_relative", "logit_sqnr_db", "packed_bytes", "theoretical_bytes",
    "compression", "simulated_bytes", "simulated_latency_ms", "peak_activation_bytes",
    "float_agreement", "zero_point_bytes",
}  # fmt: skip
METRICS = {
    "float": COMMON,
    "dynamic": QUANTIZED,
    "static": QUANTIZED,
    "qat": QUANTIZED | {"calibrated_top1"},
    "mixed": QUANTIZED | {"predicted_harm"},
}
PARTS = {"data", "float", "evaluation"}
PROTOCOL = {
    "float": PARTS,
    "dynamic": PARTS,
    "static": PARTS | {"calibration"},
    "qat": PARTS | {"calibration", "training"},
    "mixed": PARTS | {"calibration", "allocation"},
}
NOT_REPEATED = ("_ms",)  # times are times


def record_of(out):
    line = out.strip().splitlines()[-1]
    assert line.startswith("record: ")
    return json.loads(Path(line.removeprefix("record: ")).read_text())


def repeatable(record):
    return {k: v for k, v in record["metrics"].items() if not k.endswith(NOT_REPEATED)}


@pytest.mark.parametrize("mode", sorted(METRICS))
def test_a_mode_leaves_a_whole_record(qat, home, mode):
    words = ["run", *SHORT, f"mode={mode}", "scheme=w4a4"]
    words += ["trainer.max_epochs=2"] if mode == "qat" else []
    code, out, _ = qat(*words)
    assert code == 0
    record = record_of(out)
    assert (record["status"], record["mode"]) == ("done", mode)
    assert record["metrics"].keys() == METRICS[mode]
    assert record["protocol"].keys() == PROTOCOL[mode]
    assert record["overrides"] == words[1:]
    assert "runtime_top1" in record["unmeasured"]
    assert not record["unmeasured"].keys() & record["metrics"].keys()
    assert record["environment"]["threads"] == torch.get_num_threads()
    for artifact in record["artifacts"].values():
        assert (home / "runs" / record["id"] / artifact["path"]).stat().st_size == artifact["bytes"]
    if mode != "float":
        assert record["metrics"]["packed_bytes"] == record["artifacts"]["packed"]["bytes"]
        assert [p["weight"]["bits"] for p in record["plan"]["layers"].values()] == [8, 4, 4, 4, 8]


def test_the_same_command_again_computes_nothing_and_force_computes_the_same(qat, home):
    words = ["run", *SHORT, "mode=qat", "scheme=w4a4", "trainer.max_epochs=2"]
    first = record_of(qat(*words)[1])
    path = home / "runs" / first["id"] / "run.json"
    written = path.stat().st_mtime_ns
    assert record_of(qat(*words)[1]) == first
    assert path.stat().st_mtime_ns == written
    forced = record_of(qat(*words, "force=true")[1])
    assert path.stat().st_mtime_ns != written
    assert forced["id"] == first["id"]
    assert repeatable(forced) == repeatable(first)


@pytest.mark.slow
def test_an_undisturbed_machine_gives_the_same_everywhere(qat, home, monkeypatch):
    """Another cache and another folder: the float network is trained anew, to the same figures."""
    words = ["run", *SHORT, "mode=static"]
    first = record_of(qat(*words)[1])
    monkeypatch.setenv("QAT_RUNS", str(home / "elsewhere"))
    monkeypatch.setenv("QAT_CACHE", str(home / "another"))
    again = record_of(qat(*words)[1])
    assert again["id"] == first["id"]
    assert repeatable(again) == repeatable(first)


def test_settings_that_change_numbers_change_the_id_and_others_do_not(qat, home):
    ids = [
        record_of(qat("run", *SHORT, *changes)[1])["id"]
        for changes in ([], ["measure.repeats=2"], ["seed=1"], ["scheme.act.bits=7"])
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_a_sweep_ends_in_its_table_and_goes_on_where_it_was(qat, home):
    words = ["run", "-m", *SHORT, "scheme=w8a8,w4a4", "seed=0,1"]
    code, out, _ = qat(*words)
    assert code == 0
    assert "\n4 runs; " in out  # behind what each split holds
    assert "\n4 done\nnext: qat table" in out
    table = [line for line in out.splitlines() if line.startswith("| w")]
    assert [line.split()[1] for line in table] == ["w8a8-minmax", "w4a4-lsq"]
    assert re.search(r"cells: .*2 seeds", out)  # said once, below
    assert not any("(2)" in line for line in table)
    written = {p: p.stat().st_mtime_ns for p in (home / "runs").glob("*/run.json")}
    assert len(written) == 4
    code, out, _ = qat(*words, "mode=static")
    assert code == 0
    assert out.startswith("4 runs, 4 done before, 0 to run\n")
    assert {p: p.stat().st_mtime_ns for p in (home / "runs").glob("*/run.json")} == written


def test_a_run_that_fails_leaves_the_others_and_says_so(qat, home, monkeypatch):
    from qat.run.stages import pack

    sizes = pack.sizes

    def failing(qnet, *rest):
        if "features.1.0" in dict(qnet.named_modules()) and qnet.features[1][0].plan.act.bits == 4:
            raise MemoryError("no memory is left")
        return sizes(qnet, *rest)

    monkeypatch.setattr(pack, "sizes", failing)
    code, out, err = qat("run", "-m", *SHORT, "scheme=w4a4,w8a8")
    assert code == 1
    assert "not enough memory" in err
    assert "1 done, 1 failed" in out
    assert "qat: failed: " in err
    assert "1 failed, not in the table" in out
    monkeypatch.undo()


def test_tensorboard_has_curves_histograms_and_the_row(qat, home):
    words = [w for w in SHORT if w != "tracking=none"]
    record = record_of(qat("run", *words, "mode=qat", "scheme=w4a4", "trainer.max_epochs=2")[1])
    events = EventAccumulator(str(home / "runs" / record["id"] / "tb"))
    events.Reload()
    tags = events.Tags()
    assert {"train/loss", "val/loss", "train/top1", "val/top1"} <= set(tags["scalars"])
    assert len(events.Scalars("val/top1")) == 2
    assert events.Scalars("final/top1")[-1].value == pytest.approx(record["metrics"]["top1"])
    assert any(tag.startswith("sqnr") for tag in tags["scalars"])
    assert tags["histograms"]
    layers = {f"codes/{name}" for name in record["plan"]["layers"]}  # bars of each one's codes
    assert set(tags["images"]) == layers | {
        "figures/sqnr",
        "figures/memory_layers",
        "figures/memory_arena",
    }
    assert any("comparison" in tag for tag in tags["tensors"])
    assert "_hparams_/session_start_info" in events.summary_metadata
