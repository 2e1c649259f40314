"""Signal-to-quantization-noise ratios, by hand and by numpy."""

import numpy as np
import pytest
import torch

from qat.analysis.sqnr import noise_sums, sqnr_db


def test_equals_numpy():
    a, b = torch.randn(2, 100, generator=torch.Generator().manual_seed(0))
    x, y = a.double().numpy(), (a + 0.1 * b).double().numpy()
    expected = 10 * np.log10((x**2).sum() / ((x - y) ** 2).sum())
    assert sqnr_db(a, a + 0.1 * b) == pytest.approx(expected)


@pytest.mark.parametrize(("factor", "db"), [(0.1, 20.0), (0.01, 40.0), (1.0, 0.0)])
def test_by_hand(factor, db):
    """Noise of a tenth of the amplitude is a hundredth of the power: 20 dB."""
    signal = torch.full((10,), 3.0)
    assert sqnr_db(signal, signal * (1 + factor)) == pytest.approx(db, abs=1e-4)


def test_equal_tensors_and_pure_noise_have_no_finite_ratio():
    assert sqnr_db(torch.ones(3), torch.ones(3)) == float("inf")
    assert sqnr_db(torch.zeros(3), torch.ones(3)) == float("-inf")


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_values_that_are_not_finite_are_refused(bad):
    for pair in ((torch.ones(1), torch.tensor([bad])), (torch.tensor([bad]), torch.ones(1))):
        with pytest.raises(ValueError, match="NaN or infinity"):
            sqnr_db(*pair)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="shapes differ"):
        sqnr_db(torch.ones(3), torch.ones(3, 1))


def test_sums_of_parts_are_those_of_the_whole():
    a, b = torch.arange(6.0), torch.arange(6.0).sqrt()
    whole, parts = noise_sums(a, b), noise_sums(a[:2], b[:2]) + noise_sums(a[2:], b[2:])
    assert float(whole.signal) == float(parts.signal) == 0 + 1 + 4 + 9 + 16 + 25
    assert float(parts.noise) == pytest.approx(float(whole.noise))
