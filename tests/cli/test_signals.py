"""SIGINT and SIGTERM end a command with one line, also if its code does not react."""

import subprocess
import sys

import pytest

from qat.cli.signals import INTERRUPTED, signals_interrupt

START = "import os, signal, sys, time; from qat.cli import signals\n"
REACTS = """
with signals.signals_interrupt():
    try:
        os.kill(os.getpid(), signal.{name})
        time.sleep(30)
    except KeyboardInterrupt:
        signals.print_interrupted()
        signals.print_interrupted()
os.kill(os.getpid(), signal.{name})  # ignored after the block
print("end")
"""
IGNORES = """
signals.GRACE_SECONDS = 0.05
with signals.signals_interrupt():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
    except KeyboardInterrupt:
        time.sleep(30)
"""


def ended(code):
    command = [sys.executable, "-c", START + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_raises_and_is_reported_once(name):
    done = ended(REACTS.format(name=name))
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", f"{INTERRUPTED}\n")


def test_a_command_that_does_not_react_is_ended():
    done = ended(IGNORES)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{INTERRUPTED}\n")


def test_other_threads_are_left_alone():
    import signal
    import threading

    handlers = []

    def work():
        with signals_interrupt():
            handlers.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [before]
