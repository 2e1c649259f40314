"""A finished run that is asked for again with tracking gets its page from its record."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from qat.report.record_page import write_missing_pages
from qat.run.stages import float as float_stages
from tests.command_line import TINY
from tests.stored_runs import a_record, store

WITH = [word for word in TINY if word != "tracking=none"]


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


def test_the_page_is_written_from_the_record_and_nothing_is_computed(qat, home, monkeypatch):
    assert qat("run", *TINY, "mode=static")[0] == 0
    [run] = [path.parent for path in (home / "runs").glob("*/run.json")]
    assert not (run / "tb").exists()
    record = (run / "run.json").read_bytes()

    def nothing(*args, **kwargs):
        raise AssertionError("the run is done: nothing is to be computed")

    monkeypatch.setattr(float_stages, "float_network", nothing)
    code, out, err = qat("run", *WITH, "mode=static")
    assert (code, err) == (0, "")
    assert "written from the record, without histograms, bars of codes" in out
    assert (run / "run.json").read_bytes() == record
    assert not (run / "tb.partial").exists()
    events = read(run / "tb")
    tags = events.Tags()
    assert {"final/top1", "final/packed_bytes"} <= set(tags["scalars"])
    assert any(tag.startswith("sqnr_weight_db/") for tag in tags["scalars"])
    assert "figures/sqnr" in tags["images"]
    assert tags["histograms"] == []
    assert not [tag for tag in tags["images"] if tag.startswith("codes/")]
    text = events.Tensors("comparison/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "without histograms, bars of codes" in text

    before = sorted((run / "tb").iterdir())
    assert "TensorBoard page" not in qat("run", "-m", *WITH, "mode=static")[1]
    assert sorted((run / "tb").iterdir()) == before


@pytest.mark.slow
def test_a_sweep_writes_those_that_lack_and_the_networks_give_bars_of_codes(qat, home):
    assert qat("run", *TINY, "mode=static")[0] == 0
    code, out, _ = qat("run", "-m", *WITH, "mode=static,dynamic")
    assert code == 0
    assert out.count("TensorBoard page of run") == 1
    tags = [read(path).Tags()["images"] for path in (home / "runs").glob("*/tb")]
    assert len(tags) == 2
    assert sum(any(tag.startswith("codes/") for tag in own) for own in tags) == 1


def test_only_finished_runs_without_a_page_get_one(tmp_path, capsys):
    folder, _ = store(tmp_path, a_record())
    failed, _ = store(tmp_path, a_record("bbb222", status="failed", error="it broke", metrics={}))
    write_missing_pages([folder, failed])
    assert capsys.readouterr().out.startswith(
        "TensorBoard page of run aaa111: written from the record"
    )
    assert read(folder / "tb").Scalars("final/top1")[0].value == 0.875
    assert not (failed / "tb").exists()
    write_missing_pages([folder])
    assert capsys.readouterr().out == ""


def test_a_page_that_cannot_be_written_is_reported_and_fails_nothing(tmp_path, capsys):
    folder, _ = store(tmp_path, a_record())
    (folder / "tb").write_text("a file in the way")
    write_missing_pages([folder])
    assert capsys.readouterr().err.startswith("qat: no TensorBoard page of run aaa111: ")
