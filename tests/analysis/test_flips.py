"""Shares of codes that changed, by hand."""

import pytest
import torch

from qat.analysis.flips import flip_share


def test_flips_by_hand():
    before = torch.tensor([[0, 1], [2, 3]], dtype=torch.int32)
    after = torch.tensor([[0, 1], [3, -3]], dtype=torch.int32)
    assert float(flip_share(before, after)) == 0.5
    assert float(flip_share(before, before)) == 0.0
    with pytest.raises(ValueError, match=r"have one shape.*\(2, 2\) and \(4,\)"):
        flip_share(before, after.flatten())


def test_empty_codes_are_refused():
    with pytest.raises(ValueError, match=r"not be empty, got \(0,\)"):
        flip_share(torch.empty(0), torch.empty(0))
