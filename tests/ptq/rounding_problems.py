"""Small problems for methods that choose codes, and slow answers to them in numpy."""

import itertools

import numpy as np
import torch

from qat.ptq.weight_grid import AffineGrid


class Problem:
    """Rows of weights, a grid ``scale * (low..high)``, and inputs of two networks."""

    def __init__(self, seed, *, rows=3, columns=4, samples=12, low=-2, high=1, scale=0.5):
        rng = np.random.default_rng(seed)
        mix = rng.normal(size=(columns, columns))
        self.x = rng.normal(size=(samples, columns)) @ mix
        self.quantized_x = self.x + 0.1 * rng.normal(size=self.x.shape)
        self.w = rng.normal(size=(rows, columns)) * 0.5
        self.low, self.high, self.scale = low, high, scale

    @property
    def grid(self):
        scale = torch.full((1, *self.w.shape), self.scale, dtype=torch.double)
        return AffineGrid(scale, torch.zeros_like(scale), self.low, self.high)

    @property
    def weight(self):
        return torch.from_numpy(self.w).unsqueeze(0)

    @property
    def hessian(self):
        return torch.from_numpy(self.quantized_x.T @ self.quantized_x / len(self.x)).unsqueeze(0)

    @property
    def cross(self):
        return torch.from_numpy(self.quantized_x.T @ self.x / len(self.x)).unsqueeze(0)

    def nearest(self, value):
        return np.clip(np.rint(value / self.scale), self.low, self.high)

    def error(self, codes, row, *, target=None):
        """Square error of a row's output; the target is that of the quantized inputs by default."""
        inputs = self.quantized_x if target is None else target
        own = self.quantized_x @ (np.asarray(codes) * self.scale)
        return float(np.square(own - inputs @ self.w[row]).mean())

    def best(self, row, *, target=None):
        """The least error over all codes."""
        codes = itertools.product(range(self.low, self.high + 1), repeat=self.w.shape[1])
        return min(self.error(each, row, target=target) for each in codes)


def assert_better_than_nearest(choose, *, against_float=False, problems=40):
    """The method's errors lie above the best ones, and on average below those of nearest."""
    ours, nearest = [], []
    for seed in range(problems):
        problem = Problem(seed)
        codes = choose(problem)[0].numpy()
        target = problem.x if against_float else None
        for row in range(len(problem.w)):
            own = problem.error(codes[row], row, target=target)
            assert own >= problem.best(row, target=target) - 1e-12
            ours.append(own)
            nearest.append(problem.error(problem.nearest(problem.w[row]), row, target=target))
    assert np.mean(ours) < 0.8 * np.mean(nearest)
