"""qat show: a stored run on one screen."""

from qat.cli.show import show_command
from qat.records.lock import locked
from tests.stored_runs import a_record, store


def test_a_finished_run_by_lines(home, capsys):
    record = a_record(
        study="bitwidth",
        overrides=("scheme=w4a4", "mode=static"),
        environment={"cpu": "A CPU", "threads": 2, "commit": "abcdef0123456789", "dirty": True},
        seconds={"calibration": 3.0, "packing": 1.0},
    )
    folder, _ = store(home / "runs", record, layers=[])
    assert show_command(folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "run aaa111: w4a4-lsq-static-seed0, done",
        "overrides: scheme=w4a4 mode=static",
        "study: bitwidth",
        "machine: A CPU, 2 threads, commit abcdef012345 with changes",
    ]
    stages = {line.split()[0]: line.count("▇") for line in lines if " s  " in line}
    assert stages == {"calibration": 22, "packing": 8}  # 3/4 and 1/4 of 30 blocks, ties to even
    assert any(line.split()[:3] == ["layers", "2", "bytes"] for line in lines)
    assert lines[-1] == f"record: {folder / 'run.json'}"


def test_an_interrupted_run_and_a_running_one(qat, home):
    folder, _ = store(home / "runs", a_record(status="running", metrics={}))
    assert "interrupted: repeat the same `qat run` to continue it" in qat("show", "aaa111")[1]
    with locked(folder):
        assert "running in process " in qat("show", "aaa111")[1].replace("\n", " ")


def test_a_failed_run_has_its_error(qat, home):
    store(home / "runs", a_record(status="failed", error="it broke", metrics={}))
    code, out, _ = qat("show", "aaa111")
    assert code == 0
    assert "failed: it broke" in out
