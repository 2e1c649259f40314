"""What every quantizer inherits, by the one that adds least to it."""

import pytest
import torch

from qat.core.codebook import Codebook
from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.base import Quantizer
from qat.quantizers.minmax import MinMaxQuantizer
from qat.quantizers.tabled import TabledQuantizer


def per_channel(**settings):
    spec = TensorSpec(**{"bits": 4, "signed": True, "granularity": "channel", **settings})
    return MinMaxQuantizer(spec, Layout.of_weight("channel", (2, 3))).eval()


def test_a_range_is_one_for_all_slices_or_one_for_each():
    quantizer = per_channel()
    quantizer.set_range(-7.0, 3.5)
    assert quantizer.qparams().scale.tolist() == [1.0, 1.0]
    quantizer.set_range(torch.tensor([-7.0, -14.0]), 0.0)
    assert quantizer.qparams().scale.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ("free", [1.0, 3.0003]),  # 1 stays, 2 becomes 3 and a margin of 1e-4
        ("power_of_two", [1.0, 4.0]),
    ],
)
def test_a_scale_below_the_least_is_raised_now_and_later(scale, expected):
    quantizer = per_channel(scale=scale)
    quantizer.set_range(torch.tensor([-7.0, -14.0]), 0.0)
    quantizer.hold_scale(torch.tensor([0.5, 3.0]))
    assert quantizer.qparams().scale.tolist() == pytest.approx(expected)
    quantizer.set_range(torch.tensor([-7.0, -14.0]), 0.0)
    assert quantizer.qparams().scale.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"bits": 4, "signed": True}, (4, -8)),
        ({"bits": 4, "signed": True, "narrow": True}, (4, -7)),
        ({"bits": 3, "signed": False}, (3, 0)),
    ],
)
def test_codes_of_a_grid_begin_at_its_lowest(settings, expected):
    quantizer = per_channel(**settings)
    quantizer.set_range(-1.0, 1.0)
    assert quantizer.code_range() == expected
    assert quantizer.encode(torch.full((2, 3), -9.0)).min() == expected[1]


def test_codes_of_a_codebook_begin_at_zero_and_have_its_width():
    """Five levels need three bits, whatever the spec says."""
    book = Codebook(torch.tensor([[-4.0, -1.0, 0.0, 1.0, 4.0]]))
    quantizer = TabledQuantizer(TensorSpec(bits=8, signed=True), book)
    assert quantizer.code_range() == (3, 0)
    assert quantizer.encode(torch.tensor([-9.0, 9.0])).tolist() == [0, 4]


def test_the_first_batch_of_calibration_counts_the_tensors_that_share_the_scale():
    """Three tensors, in a batch that went through the network in two parts."""
    quantizer = per_channel()
    quantizer.observer.expect(None)
    quantizer.set_phase("observe")
    for _ in range(2 * 3):
        quantizer(torch.ones(2, 3))
    quantizer.close_batch(forwards=2)
    assert quantizer.observer.uses == 3


def test_it_rounds_only_once_it_is_calibrated_and_in_its_phase():
    quantizer = per_channel()
    assert not quantizer.is_rounding
    quantizer.set_phase("observe")
    quantizer(torch.ones(2, 3))
    assert not quantizer.is_rounding
    quantizer.set_phase("quantize")
    assert quantizer.is_rounding
    quantizer.set_phase("off")
    assert not quantizer.is_rounding


def test_a_method_must_define_its_scale():
    quantizer = Quantizer(TensorSpec(signed=True), Layout())
    with pytest.raises(NotImplementedError):
        quantizer.qparams()
    with pytest.raises(NotImplementedError):
        quantizer.set_qparams(torch.ones(1), torch.zeros(1))
