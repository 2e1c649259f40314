"""Python's warnings about the numbers of a run, as lines of its record."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from qat.allocate.clado import CladoWarning
from qat.sensitivity.hessian import HessianWarning

NOTED = (CladoWarning, HessianWarning)


@contextmanager
def noted_warnings(stage: str, notes: list[str]) -> Iterator[None]:
    """Note the warnings in :data:`NOTED` while the block runs; others appear as they would.

    Args:
        stage: Name of the stage; each line starts with it.
        notes: Receives one line for each warning.
    """
    with warnings.catch_warnings(record=True) as caught:
        for category in NOTED:
            warnings.simplefilter("always", category)
        yield
    for each in caught:
        if issubclass(each.category, NOTED):
            notes.append(f"{stage}: {each.message}")
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
