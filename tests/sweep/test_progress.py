"""Output of a sweep, from stored records that stand for other processes."""

import pytest

from qat.config.compose import compose_points
from qat.records.folder import RunFolder
from qat.sweep.items import Item
from qat.sweep.progress import SweepProgress
from tests.stored_runs import a_record, store


@pytest.fixture(scope="module")
def points():
    return compose_points(["mode=static", "seed=0,1,2"], multirun=True)


@pytest.fixture
def items(home, points):
    """Three runs of one sweep; the first one is done before."""
    store(home / "runs", a_record("aaa", seed=0, seconds={"calibration": 60.0}))
    ids = ("aaa", "bbb", "ccc")
    return [Item(id_, point, home / "runs" / id_) for id_, point in zip(ids, points, strict=True)]


def test_it_announces_follows_and_summarises(home, items, capsys):
    progress = SweepProgress(items[1:], requested=4, before=items[:1])
    progress.announce()
    first = capsys.readouterr().out
    assert first.startswith("4 runs, 3 different, 1 done before, 2 to run; expected time ")
    assert first.endswith("2 min, one run after the other\n")

    store(home / "runs", a_record("bbb", seed=1, seconds={"calibration": 5.0}))
    progress.look()
    progress.look()  # prints nothing new
    line = capsys.readouterr().out
    assert line.startswith("[1/2] done  w4a4-lsq-static-seed1 bbb, top-1 87.50 %, 5 s; about ")
    assert line.endswith(" to go\n")

    store(home / "runs", a_record("ccc", seed=2, status="failed", error="it broke", metrics={}))
    progress.look()
    assert capsys.readouterr().out == "[2/2] failed  w4a4-lsq-static-seed2 ccc: it broke\n"
    assert not progress.all_done()
    progress.summarise()
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "2 done (1 before), 1 failed",
        "next: qat table · qat show ccc · qat compare aaa bbb",
    ]
    assert err == f"qat: failed: ccc ({items[2].point.label}): it broke\n"


def test_an_unknown_time_and_a_missed_gate(home, items, capsys):
    RunFolder(items[0].folder).write(a_record("aaa", mode="float", plan=None))
    progress = SweepProgress(items[1:], requested=2, before=[])
    progress.announce()
    out = capsys.readouterr().out
    assert out == "2 runs; expected time unknown: no similar run is finished\n"
    for item in items[1:]:
        store(home / "runs", a_record(item.id, gate="failed" if item.id == "ccc" else "passed"))
    assert not progress.all_done()
    progress.summarise()
    assert capsys.readouterr().out.startswith("1 done, 1 missed its gate\n")
