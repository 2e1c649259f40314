"""The search of a clip against every clip of a fine grid."""

import numpy as np
import pytest
import torch

from qat.quantizers.clip_search import least_square_clip


def error(values, weights, levels, clip):
    rounded = (clip * levels)[np.abs(values[:, None] - clip * levels[None]).argmin(axis=1)]
    return float((weights * (rounded - values) ** 2).sum())


@pytest.mark.parametrize("seed", range(4))
def test_no_clip_of_a_fine_grid_is_much_better(seed):
    rng = np.random.default_rng(seed)
    values, weights = rng.laplace(size=300), rng.integers(0, 4, size=300)
    levels = np.array([-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0])
    clip = least_square_clip(
        torch.tensor(values)[None], torch.tensor(weights)[None].double(), torch.tensor(levels)
    ).item()
    best = min(error(values, weights, levels, c) for c in np.linspace(0.1, 8, 1500))
    assert error(values, weights, levels, clip) <= 1.02 * best


def test_a_row_of_zeros_has_the_clip_1():
    assert least_square_clip(torch.zeros(1, 3), torch.ones(1, 3), torch.tensor([0.0, 1.0])) == 1


def test_values_that_do_not_occur_have_no_effect():
    values, weights = torch.tensor([[1.0, 1.0, 1e6]]), torch.tensor([[1.0, 1.0, 0.0]])
    assert least_square_clip(values, weights, torch.tensor([0.0, 1.0])).item() == pytest.approx(1)
