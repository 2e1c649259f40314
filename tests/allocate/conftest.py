"""Small allocation problems, and every plan of one by enumeration."""

import itertools

import pytest
import torch

from qat.allocate.costs import LayerFigures, NetworkCosts
from qat.allocate.problem import Problem, Variable


@pytest.fixture
def all_plans():
    """``(bits, harm)`` of every plan of a problem."""

    def enumerate_plans(problem):
        choices = [variable.widths for variable in problem.variables]
        for widths in itertools.product(*choices):
            harm = sum(v.harms[w] for v, w in zip(problem.variables, widths, strict=True))
            bits = {}
            for variable, width in zip(problem.variables, widths, strict=True):
                bits |= dict.fromkeys(variable.slots, width)
            yield bits, harm

    return enumerate_plans


@pytest.fixture
def two_layers():
    """Weights alone: ``a`` (100 of them, harmless) and ``b`` (200, harmful), 2, 4 or 8 bits."""
    layers = (LayerFigures("a", 100, 1000, 8, 8), LayerFigures("b", 200, 500, 8, 8))
    variables = (
        Variable((("a", "weight"),), {2: 1.0, 4: 0.5, 8: 0.0}),
        Variable((("b", "weight"),), {2: 10.0, 4: 3.0, 8: 0.0}),
    )
    return Problem(variables, NetworkCosts(layers))


@pytest.fixture
def images():
    """8 images of 2 x 4 x 4."""
    return torch.randn(8, 2, 4, 4, generator=torch.Generator().manual_seed(0))
