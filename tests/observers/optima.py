"""Best uniform quantizers of known distributions, with zero as a code: step and SQNR in dB.

Computed by numerical integration, for unit variance; unsigned: of magnitudes of normal values.
"""

import numpy as np
import torch

from qat.core.grid import IntGrid

NORMAL = {
    "full": {2: (1.0484, 8.26), 3: (0.6018, 13.91), 4: (0.3386, 19.26), 5: (0.1888, 24.53)},
    "narrow": {2: (1.2240, 7.21), 3: (0.6508, 13.29), 4: (0.3534, 18.90), 5: (0.1932, 24.33)},
    "unsigned": {2: (0.6508, 13.29), 3: (0.3534, 18.90), 4: (0.1932, 24.33), 5: (0.1055, 29.71)},
}
LAPLACE = {
    "full": {2: (1.2141, 6.84), 3: (0.7624, 11.43), 4: (0.4676, 15.98)},
    "narrow": {2: (1.4142, 5.78), 3: (0.8217, 10.80), 4: (0.4869, 15.62)},
}
CASES = [
    (distribution, kind, bits, step, sqnr_db)
    for distribution, table in (("normal", NORMAL), ("laplace", LAPLACE))
    for kind, rows in table.items()
    for bits, (step, sqnr_db) in rows.items()
]
COUNT = 400_001


def quantiles(distribution: str, kind: str = "full") -> np.ndarray:
    """Values at equal steps of probability, so that their histogram has no noise of a sample."""
    from scipy import stats

    share = (np.arange(COUNT) + 0.5) / COUNT
    if distribution == "laplace":
        return stats.laplace.ppf(share, scale=1 / np.sqrt(2))
    values = stats.norm.ppf(share)
    return np.abs(values) if kind == "unsigned" else values


def grid_of(kind: str, bits: int) -> IntGrid:
    """The grid of a column of the tables."""
    return IntGrid(bits, signed=kind != "unsigned", narrow=kind == "narrow")


def step_and_sqnr(observer, x: np.ndarray, grid: IntGrid) -> tuple[float, float]:
    """Step of the observed range, and the SQNR that it gives, by numpy."""
    observer.observe(torch.from_numpy(x).float()[None])
    low, high = observer.range(grid, symmetric=True)
    step = float(torch.maximum(-low, high)) / grid.qmax
    codes = np.clip(np.round(x / step), grid.qmin, grid.qmax)
    noise = np.square(codes * step - x).sum()
    return step, float(10 * np.log10(np.square(x).sum() / noise))
