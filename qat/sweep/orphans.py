"""A worker of a process pool ends when the process that started it ends.

A sweep that is killed by SIGKILL (for example because memory ran out) cannot stop its workers.
Then idle workers of joblib wait forever and keep their memory; a busy worker continues to compute.
"""

import multiprocessing
import os
import threading
import time

LOOK_SECONDS = 1.0
_watching = threading.Event()


def end_with_parent() -> None:
    """From now on, end this worker process as soon as the process that started it has ended.

    In a process that is not a worker this does nothing. The next sweep continues the run from its
    last checkpoint; all files are complete.
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
    os._exit(1)  # immediately: no process is left that reads the output
