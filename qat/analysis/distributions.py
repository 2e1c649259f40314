"""Random values from distributions that resemble weights and activations.

The values depend only on count and seed. All distributions have a scale of about one.

    gauss       N(0, 1)                                              weights
    laplace     density exp(-|x|) / 2                                weights, heavier tails
    half_normal |N(0, 1)|                                            after a ReLU, without zeros
    skewed      Gamma(shape 2, scale 1/2), mean 1                    one-sided, long tail
    bimodal     half N(-1, 0.3^2), half N(2, 0.3^2)                  before a gate
    outliers    N(0, 1), one value in 1000 times 20                  as some channels have them
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from qat.base.errors import UnknownNameError

OUTLIER_SHARE, OUTLIER_FACTOR = 1e-3, 20.0


def draw(name: str, count: int, seed: int = 0) -> Tensor:
    """Draw values from a distribution, float32.

    Args:
        name: A key of ``LAWS``.
        count: Number of values.
        seed: Seed of the random generator.

    Raises:
        KeyError: If there is no such distribution.

    Example:
        >>> draw("half_normal", 1000).min() >= 0
        tensor(True)
    """
    if name not in LAWS:
        raise UnknownNameError(f"distribution must be one of {', '.join(LAWS)}, got {name!r}")
    return LAWS[name](count, torch.Generator().manual_seed(seed))


def _gauss(count: int, generator: torch.Generator) -> Tensor:
    return torch.randn(count, generator=generator)


def _laplace(count: int, generator: torch.Generator) -> Tensor:
    # By the inverse of its distribution function.
    u = torch.rand(count, generator=generator, dtype=torch.float64) - 0.5
    tail = (1 - 2 * u.abs()).clamp(min=torch.finfo(torch.float64).tiny)
    return (-u.sign() * tail.log()).float()


def _half_normal(count: int, generator: torch.Generator) -> Tensor:
    return _gauss(count, generator).abs()


def _skewed(count: int, generator: torch.Generator) -> Tensor:
    # A gamma of shape 2 is the sum of two exponentials.
    u = torch.rand(2, count, generator=generator, dtype=torch.float64)
    return (-(1 - u).log().sum(dim=0) / 2).float()


def _bimodal(count: int, generator: torch.Generator) -> Tensor:
    second = torch.rand(count, generator=generator) < 0.5
    return torch.where(second, 2.0, -1.0) + 0.3 * _gauss(count, generator)


def _outliers(count: int, generator: torch.Generator) -> Tensor:
    values = _gauss(count, generator)
    far = torch.rand(count, generator=generator) < OUTLIER_SHARE
    return torch.where(far, values * OUTLIER_FACTOR, values)


LAWS: Mapping[str, Callable[[int, torch.Generator], Tensor]] = {
    "gauss": _gauss,
    "laplace": _laplace,
    "half_normal": _half_normal,
    "skewed": _skewed,
    "bimodal": _bimodal,
    "outliers": _outliers,
}
