"""``qat.run`` is the command ``qat run``: the same record, and nothing printed."""

import json
import shutil
import warnings

import pytest
import torch

import qat as library
from qat.base.errors import RequestError
from qat.notebook.errors import RunFailedError
from qat.notebook.run import run
from qat.records.folder import RunFolder
from qat.records.lock import LockedError
from tests.command_line import TINY

pytestmark = pytest.mark.filterwarnings("ignore::qat.notebook.errors.RunWarning")  # of short runs
TRAINED = [*TINY, "scheme=w4a4", "mode=qat", "trainer=smoke"]
TIMES = ("_ms", "speedup", "seconds")
TIMED = ("memory", "latency", "ptq")
"""Side files with times in them."""


def without_times(record):
    """A record as plain data, without the numbers that two runs of the command differ in."""
    data = json.loads(json.dumps(record.to_dict()))
    del data["seconds"]
    data["metrics"] = {k: v for k, v in data["metrics"].items() if not k.endswith(TIMES)}
    for name in TIMED:
        data["artifacts"].pop(name, None)
    return data


def test_the_record_and_the_files_are_those_of_the_command(home, qat, capsys):
    assert qat("run", *TRAINED)[0] == 0
    for name in ("runs", "cache"):
        shutil.move(home / name, home / "command" / name)
    torch.manual_seed(7)
    before, numbers = torch.get_rng_state(), torch.rand(3)
    torch.set_rng_state(before)
    record = run(*TRAINED)
    assert capsys.readouterr() == ("", "")
    assert torch.equal(torch.rand(3), numbers)  # the notebook's own generator goes on
    commands = RunFolder(home / "command" / "runs" / record.id).read()
    assert without_times(record) == without_times(commands)
    assert record.metrics.keys() == commands.metrics.keys()
    assert record.artifacts.keys() >= {"packed", "plan", "layers", "config"}


def test_a_finished_run_is_read_and_shared_with_the_command(finished, qat):
    folder, _ = finished(*TINY, "mode=static")
    before = (folder / "run.json").stat().st_mtime_ns
    record = run(*TINY, "mode=static")
    assert (record.id, record.status) == (folder.name, "done")
    assert run(repeat=record) == run(repeat=folder) == run(repeat=folder.name[:6]) == record
    assert (folder / "run.json").stat().st_mtime_ns == before


def test_verbose_prints_what_the_command_prints(finished, capsys):
    folder, out = finished(*TINY, "mode=static")
    run(*TINY, "mode=static", verbose=True)
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == out.splitlines()[-1] == f"record: {folder / 'run.json'}"
    assert "| top-1" in printed or "top-1" in printed


def test_a_wrong_request_has_the_message_of_the_command(home, qat):
    with pytest.raises(RequestError) as raised:
        run(*TINY, "scheme.weight.bitz=4")
    assert qat("run", *TINY, "scheme.weight.bitz=4")[2] == f"qat: {raised.value}\n"
    assert not (home / "runs").exists()


@pytest.mark.parametrize("word", ["-m", "--from", "--cfg"])
def test_flags_of_the_command_are_arguments(word):
    with pytest.raises(RequestError, match=r"config_dir= for --config-dir"):
        run(word)


def test_a_failed_run_raises_with_its_cause_and_is_recorded(home, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("in a stage")

    monkeypatch.setattr("qat.sweep.job.execute", fail)
    with pytest.raises(RunFailedError, match="in a stage") as raised:
        run(*TINY, "mode=static")
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    [folder] = (path.parent for path in (home / "runs").glob("*/run.json"))
    assert RunFolder(folder).read().status == "failed"


def test_a_run_that_another_process_computes_is_refused(home, monkeypatch):
    monkeypatch.setattr("qat.records.lock.PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr("qat.sweep.job.execute", lambda *_: pytest.fail("it was computed"))
    from qat.notebook.words import request_words
    from qat.sweep.single import single_run

    folder = single_run(request_words([*TINY, "mode=static"], None)).folder
    with folder.create().lock(), pytest.raises(LockedError, match="is being written by"):
        run(*TINY, "mode=static")


def test_a_finished_run_warns_of_nothing(finished):
    finished(*TINY, "mode=static")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert library.run(*TINY, "mode=static").status == "done"
