"""Half precision as a format."""

import numpy as np
import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.cast import CastQuantizer
from qat.quantizers.registry import make_quantizer


def test_values_are_those_of_numpys_half():
    x = torch.randn(1000, generator=torch.Generator().manual_seed(0)) * 100
    expected = x.numpy().astype(np.float16).astype(np.float32)
    assert np.array_equal(CastQuantizer()(x).numpy(), expected)


def test_large_values_saturate_and_stop_the_gradient():
    x = torch.tensor([1e6, -1e6, 1.0], requires_grad=True)
    y = CastQuantizer()(x)
    y.sum().backward()
    assert y.tolist() == [65504.0, -65504.0, 1.0]
    assert x.grad.tolist() == [0, 0, 1]


@pytest.mark.parametrize("phase", ["observe", "off"])
def test_in_other_phases_it_is_the_identity(phase):
    quantizer, x = CastQuantizer(), torch.tensor([1 / 3])
    quantizer.set_phase(phase)
    assert quantizer(x) is x


def test_formats_choose_the_class():
    assert isinstance(make_quantizer(TensorSpec(format="fp16"), Layout()), CastQuantizer)
    assert isinstance(make_quantizer(TensorSpec(bits=32), Layout()), torch.nn.Identity)
