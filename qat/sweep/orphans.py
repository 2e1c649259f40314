"""A worker of a process pool ends with the process that it works for.

A sweep that is killed outright (SIGKILL, out of memory) cannot tell its workers. Those of joblib
then wait for work for ever, each with its memory; one that computes goes on unseen.
"""

import multiprocessing
import os
import threading
import time

LOOK_SECONDS = 1.0
_watching = threading.Event()


def end_with_parent() -> None:
    """From now on, end this process when the one that started it as a worker is gone.

    In a process that is nobody's worker nothing happens. What it computes is taken up by the next
    sweep where its last checkpoint is; all files are whole.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None or _watching.is_set():
        return
    _watching.set()
    thread = threading.Thread(target=_watch, args=(parent.pid,), name="parent-watch", daemon=True)
    thread.start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)  # at once: nobody is left who could be told anything
