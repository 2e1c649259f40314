"""Analytical clips: published constants, and the equations by integration."""

import numpy as np
import pytest
import torch
from scipy import integrate, optimize, stats

from qat.observers.aciq import ACIQObserver, gauss_clip, laplace_clip

LAPLACE = [2.830683, 3.897229, 5.028640, 6.204766, 7.413126, 8.645620, 9.896760]
GAUSS = [1.710635, 2.151593, 2.559136, 2.936201, 3.286915, 3.615114, 3.924037]


@pytest.mark.parametrize(("clip_of", "published"), [(laplace_clip, LAPLACE), (gauss_clip, GAUSS)])
def test_clips_of_2_to_8_bits_are_those_of_the_paper(clip_of, published):
    for bits, expected in enumerate(published, start=2):
        assert clip_of(bits) == pytest.approx(expected, abs=5e-5), bits


@pytest.mark.parametrize(
    ("clip_of", "density"), [(laplace_clip, stats.laplace.pdf), (gauss_clip, stats.norm.pdf)]
)
@pytest.mark.parametrize("bits", [1, 2, 4, 9, 16])
def test_a_clip_minimises_the_error_model(clip_of, density, bits):
    def error(clip):
        tail, _ = integrate.quad(lambda x: (x - clip) ** 2 * density(x), clip, clip + 40)
        return clip**2 / (3 * 4**bits) + 2 * tail

    best = optimize.minimize_scalar(error, bounds=(0.5, 30), method="bounded")
    assert error(clip_of(bits)) <= best.fun * (1 + 1e-6)


def test_a_distribution_is_named_by_a_subclass():
    observer, x = ACIQObserver(1), torch.ones(1, 3)
    for of_class in (lambda: observer.clip(4), lambda: observer.spread(x), observer.spread_of_half):
        with pytest.raises(NotImplementedError):
            of_class()


def test_the_tables_of_a_unit_normal_distribution_are_below_its_exact_optimum():
    """The noise model is approximate: 0.3 to 14 % under Max's outer edge, step * 2^(bits-1)."""
    steps = {2: 0.9957, 3: 0.5860, 4: 0.3352, 5: 0.1881, 6: 0.1041, 8: 0.0308}
    under = [1 - gauss_clip(bits) / (step * 2 ** (bits - 1)) for bits, step in steps.items()]
    assert np.all(np.diff(under) < 0)
    assert under[0] == pytest.approx(0.14, abs=0.005)
    assert 0 < under[-1] < 0.01
