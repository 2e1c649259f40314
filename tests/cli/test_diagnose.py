import json
import shlex

import pytest

from qat.cli.diagnose import diagnose_command
from qat.records.folder import RunFolder
from qat.records.store import read_record
from qat.report.diagnosis import drop_lines
from tests.command_line import SMALL
from tests.stored_runs import a_record, store

CLIPPING = ["observer@scheme.act=percentile", "scheme.act.observer_options.percentile=60"]


@pytest.fixture
def clipped(finished):
    """A run whose inputs are clipped, which its three channels of noise do not forgive."""
    return finished(*SMALL, *CLIPPING)


@pytest.mark.slow
def test_what_was_clipped_is_found_and_the_cure_can_be_typed(clipped, qat):
    folder, _ = clipped
    code, out, _ = qat("diagnose", folder.name[:8])
    assert code == 0
    assert "input values lie outside the range and are clipped" in out
    cures = [line.split("try: ")[1] for line in out.splitlines() if "try: " in line]
    assert any("observer@scheme.act=minmax" in cure for cure in cures)
    for cure in cures:
        assert qat(*shlex.split(cure)[1:])[0] == 0


def test_a_drop_of_more_than_a_point_ends_in_two_lines(clipped):
    folder, _ = clipped
    record = read_record(folder)
    small, large = ({"top1_drop": drop} for drop in (0.01, 0.012))
    assert drop_lines(folder, record.move_to("done", metrics=small)) == []
    where, what = drop_lines(folder, record.move_to("done", metrics=large))
    assert where.startswith("top-1 fell by 1.20 points: the first output to fall is that of ")
    assert what == f"what to try: qat diagnose {record.id}"


def test_rows_of_an_older_run_are_read(clipped, capsys):
    folder, _ = clipped
    path = folder / "layers.json"
    newer = ("alone_db", "worst_channel_db", "channel_range_ratio", "dead_channels")
    rows = json.loads(path.read_text())
    path.write_text(json.dumps([{k: v for k, v in row.items() if k not in newer} for row in rows]))
    record, run = read_record(folder), RunFolder(folder)
    artifacts = {**record.artifacts, "layers": run.artifact(path)}
    run.write(record.move_to("done", artifacts=artifacts))
    assert diagnose_command(folder) == 0
    assert "clipped" in capsys.readouterr().out


def test_a_float_run_has_nothing_to_diagnose(qat, home):
    folder, _ = store(home / "runs", a_record(mode="float", plan=None))
    code, _, err = qat("diagnose", folder.name)
    assert code == 2
    assert "a finished run of mode static, dynamic, qat or mixed" in err


def test_damaged_rows_are_named_and_take_nothing_else_down(clipped, qat):
    folder, _ = clipped
    (folder / "layers.json").write_text("[1, 2")
    code, _, err = qat("diagnose", folder.name)
    assert code == 2
    assert "layers.json" in err
    record = read_record(folder).move_to("done", metrics={"top1_drop": 0.5})
    assert "layers.json" in " ".join(drop_lines(folder, record))
