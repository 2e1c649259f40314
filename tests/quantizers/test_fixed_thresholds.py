"""Thresholds that are read from a file."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.core.scheme import TensorSpec
from qat.quantizers.fixed_thresholds import FixedThresholds
from qat.quantizers.n2uq import N2UQQuantizer
from qat.quantizers.qil import QILQuantizer


def fixed(ends, signed=False):
    spec = TensorSpec(bits=2, signed=signed)
    return FixedThresholds(
        QParams(torch.ones(1), torch.zeros(1), spec.grid(), Layout()), spec, ends
    )


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("kind", [N2UQQuantizer, QILQuantizer])
def test_it_rounds_as_the_quantizer_that_it_replaces(kind, signed):
    spec = TensorSpec(bits=3, signed=signed)
    learned = kind(spec, Layout())
    learned.set_range(-1.7, 1.7)
    with torch.no_grad():
        for parameter in learned.parameters():
            parameter.mul_(torch.linspace(1.1, 1.4, parameter.numel()).reshape(parameter.shape))
    x = torch.randn(500, generator=torch.Generator().manual_seed(0))
    after = FixedThresholds(learned.qparams(), spec, learned.thresholds())
    assert torch.equal(after(x), learned(x))
    assert torch.equal(after.encode(x), learned.encode(x))


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (torch.tensor([[1.0, 2.0]]), r"must have shape \(1, 3\), got \(1, 2\)"),
        (torch.tensor([[1.0, 3.0, 2.0]]), "ascend"),
        (torch.tensor([[1.0, 2.0, float("nan")]]), "finite"),
    ],
)
def test_other_thresholds_are_refused(ends, message):
    with pytest.raises(ValueError, match=message):
        fixed(ends)
