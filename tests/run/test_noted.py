"""Warnings about the numbers of a run become lines of its record."""

import warnings

import pytest

from qat.allocate.clado import CladoWarning
from qat.run.noted import noted_warnings
from qat.sensitivity.hessian import HessianWarning


def test_each_is_noted_every_time_and_not_shown(recwarn):
    notes = []
    for _ in range(2):
        with noted_warnings("allocation", notes):
            warnings.warn("not proven", CladoWarning, stacklevel=1)
            warnings.warn("not converged", HessianWarning, stacklevel=1)
    assert notes == ["allocation: not proven", "allocation: not converged"] * 2
    assert len(recwarn) == 0


def test_others_appear_as_they_would():
    notes = []
    with pytest.warns(UserWarning, match="of a library"), noted_warnings("allocation", notes):
        warnings.warn("of a library", UserWarning, stacklevel=1)
    assert notes == []
