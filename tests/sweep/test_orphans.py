"""Workers end with the process that they work for."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CODE = """
import multiprocessing, sys, time
from qat.sweep import orphans
def work(path):
    orphans.LOOK_SECONDS = 0.02
    orphans.end_with_parent()
    with open(path, "w") as file:
        file.write(str(__import__("os").getpid()))
    time.sleep(600)
if __name__ == "__main__":
    orphans.end_with_parent()  # nobody's worker: nothing happens
    worker = multiprocessing.get_context("fork").Process(target=work, args=(sys.argv[1],))
    worker.start()
    worker.join()
"""


def alive(pid):
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # a system without /proc, or it ended this instant
        return Path("/proc").exists() is False


def test_a_worker_whose_parent_was_killed_ends(tmp_path):
    note = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", CODE, str(note)])
    deadline = time.monotonic() + 60
    while not (note.exists() and note.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    worker = int(note.read_text())
    assert alive(worker)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(worker)
