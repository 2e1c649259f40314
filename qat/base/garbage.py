"""Pause Python's search for reference cycles while many plain objects are created."""

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
