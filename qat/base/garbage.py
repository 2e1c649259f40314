"""Pause Python's search for reference cycles while many objects are created that stay."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_cycle_search() -> Iterator[None]:
    """Pause the search inside the block, for data without cycles, such as parsed JSON.

    Each time the number of objects has grown, the search visits every object. This is a third of
    the time of a table over thousands of records.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def loading_modules() -> Iterator[None]:
    """Pause the search inside the block, and leave what it has loaded out of later searches."""
    with no_cycle_search():
        yield
    _leave_out_present_objects()


def keep_objects() -> None:
    """Delete unreachable objects, and leave all others out of later searches.

    Drawing causes a search for each figure, which would visit every loaded module. Call it when
    everything that stays is loaded.
    """
    gc.collect()
    _leave_out_present_objects()


def _leave_out_present_objects() -> None:
    gc.freeze()
    atexit.register(gc.unfreeze)  # the interpreter's last search must find everything
