"""LQ-Nets by hand and with numpy: Zhang et al. 2018."""

from itertools import product

import numpy as np
import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.lqnets import LQNetsQuantizer


def lqnets(bits=2, signed=True, basis=None, layout=None):
    quantizer = LQNetsQuantizer(TensorSpec(bits=bits, signed=signed), layout or Layout())
    if basis is not None:
        quantizer.set_basis(torch.tensor([basis]))
    return quantizer


def test_levels_are_the_signed_sums_of_the_basis():
    assert lqnets(basis=[1.0, 2.5]).codebook().values.tolist() == [[-3.5, -1.5, 1.5, 3.5]]
    unsigned = lqnets(signed=False, basis=[1.0, 2.5])
    assert unsigned.codebook().values.tolist() == [[0.0, 1.0, 2.5, 3.5]]


def test_the_nearest_level_is_taken():
    x = torch.tensor([-9.0, -0.1, 0.1, 2.4, 2.6])
    assert lqnets(basis=[1.0, 2.5]).eval()(x).tolist() == [-3.5, -1.5, 1.5, 1.5, 3.5]


def test_a_gradient_passes_everywhere_or_within_the_levels_of_activations():
    x = torch.tensor([-9.0, 0.5, 3.4, 9.0], requires_grad=True)
    lqnets(basis=[1.0, 2.5]).eval()(x).sum().backward()
    assert x.grad.tolist() == [1, 1, 1, 1]
    x.grad = None
    lqnets(signed=False, basis=[1.0, 2.5]).eval()(x).sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 0]


def qem(x, basis, digits):
    """One round of quantization error minimisation, with numpy."""
    encodings = np.array(list(product(digits, repeat=len(basis))))
    nearest = np.abs(x[:, None] - (encodings @ basis)[None]).argmin(axis=1)
    b = encodings[nearest].T
    return np.linalg.solve(b @ b.T, b @ x)


@pytest.mark.parametrize("signed", [True, False])
def test_a_round_of_qem_is_least_squares(signed):
    x = np.random.default_rng(0).normal(size=500)
    x, digits = (x, (-1, 1)) if signed else (np.abs(x), (0, 1))
    basis = [0.4, 0.7, 1.3]
    computed = lqnets(3, signed, basis).refitted(torch.tensor(x)[None].float())
    expected = qem(x, np.array(basis), digits)
    assert computed[0].tolist() == pytest.approx(expected.tolist(), rel=1e-4)


def test_an_encoding_that_does_not_occur_keeps_its_part():
    unsigned = lqnets(signed=False, basis=[1.0, 2.0])
    basis = unsigned.refitted(torch.tensor([[0.0, 1.1, 0.9, 1.3]]))
    assert basis[0].tolist() == pytest.approx([1.1, 2.0], rel=1e-4)


def test_training_moves_the_basis_by_a_tenth_until_frozen():
    quantizer = lqnets(signed=False, basis=[1.0, 2.0]).train()
    x = torch.tensor([[2.0, 4.0, 1.0]])  # encodings 10, 11, 01: least squares (4/3, 7/3)
    fitted = quantizer.refitted(x)[0]
    quantizer(x)
    assert quantizer.basis[0].tolist() == pytest.approx(
        (0.9 * torch.tensor([1.0, 2.0]) + 0.1 * fitted).tolist()
    )
    before = quantizer.basis.clone()
    quantizer.eval()(x)
    quantizer.train().frozen = True
    quantizer(x)
    assert torch.equal(quantizer.basis, before)


def test_the_start_is_maxs_quantizer_of_a_normal_distribution():
    """Max 1960, 4 levels: 0.4528 and 1.510."""
    x = torch.randn(1, 8000, generator=torch.Generator().manual_seed(0))
    quantizer = lqnets()
    quantizer.set_phase("observe")
    quantizer(x / x.std())
    quantizer.set_phase("quantize")
    assert quantizer.codebook().values[0, 2:].tolist() == pytest.approx([0.4528, 1.510], rel=0.03)


def test_slices_have_their_own_basis():
    x = torch.randn(3, 400, generator=torch.Generator().manual_seed(0))
    x = x * torch.tensor([[1.0], [10.0], [0.1]])
    quantizer = lqnets(layout=Layout.of_weight("channel", (3, 400)))
    quantizer.set_phase("observe")
    quantizer(x)
    quantizer.set_phase("quantize")
    largest = quantizer.codebook().values[:, -1]
    assert largest[1] > 5 * largest[0] > 25 * largest[2]
