"""Sums of a tensor on a grid, by hand."""

import math

import pytest
import torch

from qat.analysis.sums import clipped, has_step, tensor_sums
from qat.analysis.symmetry import quantized
from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.cast import CastQuantizer
from qat.quantizers.registry import make_quantizer

# Codes -2..1 with step 1: the values beyond -2.5 and 1.5 are clipped.
X = torch.tensor([-3.0, -2.4, -0.25, 0.0, 1.0, 1.4, 2.0])
ERRORS = [1.0, 0.4, 0.25, 0.0, 0.0, -0.4, -1.0]


@pytest.fixture
def quantizer():
    return quantized(torch.tensor([-1.0, 1.0]), 2, True, "minmax")


def test_sums_by_hand(quantizer):
    assert float(quantizer.qparams().scale) == 1.0
    sums = tensor_sums(X, quantizer)
    assert (sums.grid.values, sums.grid.clipped) == (7, 2)
    assert sums.grid.codes.tolist() == [-2, 0, 1]
    assert sums.grid.most == 1.0
    assert sums.grid.squares == pytest.approx(sum(error**2 for error in ERRORS))
    assert float(sums.noise.noise) == pytest.approx(sum(error**2 for error in ERRORS))
    assert clipped(X, quantizer.qparams()).tolist() == [[True, *[False] * 5, True]]


def test_sums_of_batches_add_up(quantizer):
    row = (tensor_sums(X[:3], quantizer) + tensor_sums(X[3:], quantizer)).row("a", "act", quantizer)
    assert (row.name, row.slot, row.bits, row.step) == ("a", "act", 2, 1.0)
    assert (row.rmin, row.rmax) == (-2.0, 1.0)
    assert (row.used_codes, row.clipped) == (3 / 4, 2 / 7)
    squares = sum(error**2 for error in ERRORS)
    assert row.rms_error_steps == pytest.approx(math.sqrt(squares / 7))


def test_a_cast_has_a_ratio_alone():
    cast = CastQuantizer()
    row = tensor_sums(torch.tensor([1.0, 3.0]), cast).row("a", "act", cast)
    assert (row.sqnr_db, row.bits, row.step) == (math.inf, None, None)


@pytest.mark.parametrize(
    "spec",
    [
        TensorSpec(format="fp8_e4m3", signed=True),
        TensorSpec(format="mxfp4_e2m1", signed=True),
        TensorSpec(bits=2, signed=True, quantizer=Method("ternary")),
    ],
    ids=lambda spec: f"{spec.format}-{spec.quantizer.name}",
)
def test_levels_without_a_common_step_have_a_ratio_alone(spec):
    quantizer = make_quantizer(spec, Layout()).eval()
    quantizer.set_phase("observe")
    quantizer(torch.tensor([[1.0, 3.0]]))
    quantizer.set_phase("quantize")
    x = torch.tensor([[1.0, 2.9]])
    row = tensor_sums(x, quantizer).row("a", "weight", quantizer)
    noise = (quantizer(x) - x).square().sum()
    assert row.sqnr_db == pytest.approx(float(10 * torch.log10(x.square().sum() / noise)), abs=1e-4)
    assert (row.bits, row.step, has_step(quantizer)) == (None, None, False)


def test_levels_without_a_common_step_have_noise_only():
    spec = TensorSpec(bits=2, signed=True, quantizer=Method("sawb"))
    quantizer = make_quantizer(spec, Layout.of_weight("tensor", (1, 7))).eval()
    quantizer.set_range(-3.0, 3.0)  # levels -3, -1, 1, 3
    row = tensor_sums(X[None], quantizer).row("a", "weight", quantizer)
    assert (row.step, row.clipped, row.used_codes) == (None, None, None)
    nearest = [-3, -3, -1, 1, 1, 1, 1]
    noise = sum((x - y) ** 2 for x, y in zip(X.tolist(), nearest, strict=True))
    signal = sum(x**2 for x in X.tolist())
    assert row.sqnr_db == pytest.approx(10 * math.log10(signal / noise), abs=1e-3)
