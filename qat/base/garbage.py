"""Python's search for cycles, put off while many plain objects are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_cycle_search() -> Iterator[None]:
    """Put it off inside the block: what is read from JSON holds no cycles.

    The search walks over all that is alive each time the number of objects has grown, which is a
    third of the time that a table over thousands of records takes.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
