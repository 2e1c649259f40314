"""What a person sees in a terminal of 80 columns."""

import os
import re
import signal
import time

import pytest

from qat.base.progress import bar
from qat.records.folder import RunFolder
from qat.records.stage import noted_stage
from qat.records.store import read_record
from qat.sweep import job
from tests.command_line import TINY
from tests.terminal import close, in_terminal, press_ctrl_c, terminate

INTERRUPTED = "qat: interrupted; repeat the same command to continue"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def caught(monkeypatch):
    """Stop a run of a fork where a function of the job is called; gives the function's name."""

    def stop_at(name):
        def wait(*_, **__):
            with bar("waiting"):
                print("in the stage", flush=True)
                time.sleep(60)

        monkeypatch.setattr(job, name, wait)

    return stop_at


def records(home):
    return [read_record(path.parent) for path in home.glob("runs/*/run.json")]


def test_a_run_is_shown_while_it_runs_when_it_is_done_and_again(home, monkeypatch):
    seen = in_terminal("run", *TINY)
    assert seen.code == 0, seen.text
    for stage in ("loading", "float training", "epoch 1/1", "calibration", "packing", "analysis"):
        assert stage in seen.sent
    assert "top-1 [%]" in seen.text
    assert not re.search("━ +[0-9]+ s", seen.text)  # no bar is left behind
    assert seen.screen[-2].endswith("run.json")
    assert [noted_stage(path.parent) for path in home.glob("runs/*/run.json")] == [None]

    shown = in_terminal("show", *(str(path.parent) for path in home.glob("runs/*/run.json")))
    assert shown.code == 0
    assert "w8a8-minmax" in shown.screen[0]

    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may write anywhere
    monkeypatch.setattr(RunFolder, "lock", None)
    again = in_terminal("run", *TINY)
    assert again.code == 0, again.text
    assert "top-1 [%]" in again.text

    plain = in_terminal(
        "show",
        *(str(path.parent) for path in home.glob("runs/*/run.json")),
        environment={"NO_COLOR": "1"},
    )
    assert not COLOUR.search(plain.sent)
    assert plain.screen == shown.screen


@pytest.mark.parametrize("answer", ["the signal", "the failed write"])
def test_a_closed_terminal_interrupts_the_run(home, monkeypatch, answer):
    def wait(*_, **__):
        print("in the stage", flush=True)
        if answer == "the failed write":
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as for a process in another group
        print("ready", flush=True)
        while True:
            time.sleep(0.01)
            print("more", flush=True)

    monkeypatch.setattr(job, "execute", wait)
    seen = in_terminal("run", *TINY, when=lambda sent: "ready" in sent, then=close)
    assert seen.code == 1
    assert [record.status for record in records(home)] == ["running"]


@pytest.mark.parametrize("end", [press_ctrl_c, terminate])
def test_ended_in_the_middle_of_a_run_it_says_so(home, caught, end):
    caught("execute")
    seen = in_terminal("run", *TINY, when=lambda sent: "in the stage" in sent, then=end)
    assert seen.code == 1
    assert seen.screen[-2] == INTERRUPTED
    assert seen.sent.count("\x1b[?25l") == seen.sent.count("\x1b[?25h")  # the cursor is back
    assert [record.status for record in records(home)] == ["running"]
