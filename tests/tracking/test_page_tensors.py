"""Tensors of a page."""

import pytest

from qat.tracking.page_tensors import PageTensors


def test_a_run_without_tensors_has_none_and_nothing_can_be_set():
    tensors = PageTensors()
    assert (len(tensors.rows), dict(tensors.weights), dict(tensors.codes)) == (0, {}, {})
    assert tensors.weights is not PageTensors().weights
    with pytest.raises(AttributeError):
        tensors.rows = [1]
