"""A defect looks like one, wherever it happens: type, place, and how to see more."""

import pytest

from qat.records.store import read_record
from qat.run import prepare
from qat.sweep import job
from tests.command_line import SMALL, TINY

HINT = "; QAT_DEBUG=1 shows the traceback"
WORDS = ["run", *TINY, "mode=float", "tracking.figures=true"]


def defect(*_, **__):
    raise KeyError("note")


PLACE = f"test_defects.py:{defect.__code__.co_firstlineno + 1})"


def only_record(home):
    (path,) = home.glob("runs/*/run.json")
    return read_record(path.parent)


@pytest.fixture
def debug(monkeypatch):
    return lambda: monkeypatch.setenv("QAT_DEBUG", "1")


def test_while_a_request_is_checked(qat, home, monkeypatch, debug):
    monkeypatch.setattr(prepare, "number_settings", defect)
    code, _, err = qat(*WORDS)
    assert code == 2  # nothing was started
    assert not (home / "runs").exists()
    assert err.startswith("qat: KeyError: 'note' (")
    assert PLACE in err
    assert err.endswith(f"{HINT}\n")
    debug()
    code, _, err = qat(*WORDS)
    assert code == 2
    assert "Traceback" in err
    assert "raise KeyError" in err


def test_while_a_point_of_a_sweep_is_checked(qat, monkeypatch):
    monkeypatch.setattr(prepare, "number_settings", defect)
    code, _, err = qat("run", "-m", *SMALL, "mode=float,static")
    assert code == 2
    assert "point " in err
    assert "mode=float: KeyError: 'note' (" in err
    assert err.endswith(f"{HINT}\n")


@pytest.mark.parametrize("place", ["execute", "_draw"])
def test_in_a_run(qat, home, monkeypatch, debug, place):
    monkeypatch.setattr(job, place, defect)
    code, _, err = qat(*WORDS)
    record = only_record(home)
    assert code == 1
    assert record.status == "failed"
    assert record.error.startswith("KeyError: 'note' (")
    assert record.error.endswith(PLACE)
    assert err.splitlines()[-1] == f"qat: run {record.id}: {record.error}{HINT}"
    code, out, _ = qat("show", str(home / "runs" / record.id))
    assert code == 0
    assert f"failed: {record.error}{HINT}" in out
    debug()
    assert "Traceback" in qat(*WORDS)[2]


def test_in_a_run_of_a_sweep(qat, monkeypatch):
    monkeypatch.setattr(job, "execute", defect)
    code, out, err = qat("run", "-m", *SMALL, "mode=float")
    assert code == 1
    assert "KeyError: 'note' (" in out
    assert err.splitlines()[-1].endswith(f"{PLACE}{HINT}")


def test_in_code_of_the_users_own_the_place_is_theirs(qat, home):
    (home / "broken_net.py").write_text("def make(classes):\n    return {}['depth']\n")
    code, _, err = qat(*WORDS, "model=user", "model.target=broken_net:make")
    assert code == 2
    assert err.startswith("qat: KeyError: 'depth' (")
    assert "broken_net.py:2)" in err


def test_in_a_module_of_the_users_own_an_error_is_no_missing_name(qat, home):
    (home / "broken_module.py").write_text("import math\nmath.nothing\n")
    _, _, err = qat(*WORDS, "model=user", "model.target=broken_module:make")
    assert "AttributeError" in err
    assert "broken_module.py:2)" in err
