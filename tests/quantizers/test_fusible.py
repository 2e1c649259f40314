"""Which quantizers can be fused."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.fusible import is_fusible
from qat.quantizers.lsq import LSQQuantizer
from qat.quantizers.minmax import MinMaxQuantizer


def ready(kind, **settings):
    quantizer = kind(TensorSpec(bits=4, signed=False, **settings), Layout())
    quantizer.set_qparams(torch.ones(1), torch.zeros(1))
    return quantizer


class OwnRounding(LSQQuantizer):
    def quantize(self, x):
        return 2 * super().quantize(x)


class OwnForward(MinMaxQuantizer):
    def forward(self, x):
        return super().forward(x) + 1


class OwnBoth(OwnRounding):
    def quantize(self, x):
        return super().quantize(x)

    def rounding(self, x):
        return super().rounding(x)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (LSQQuantizer, True),
        (MinMaxQuantizer, True),
        (OwnRounding, False),
        (OwnForward, False),
        (OwnBoth, True),
    ],
)
def test_a_class_must_say_what_it_computes(kind, expected):
    assert is_fusible(ready(kind).eval()) == expected


def test_a_range_that_follows_training_is_not_fused_until_it_is_frozen():
    quantizer = ready(MinMaxQuantizer, observer=Method("ema"))
    states = [is_fusible(quantizer)]
    quantizer.frozen = True
    assert [*states, is_fusible(quantizer)] == [False, True]


def test_phases_and_hooks_are_respected():
    quantizer = ready(LSQQuantizer)
    handle = quantizer.register_forward_pre_hook(lambda *_: None)
    states = [is_fusible(quantizer)]
    handle.remove()
    quantizer.set_phase("off")
    assert [*states, is_fusible(quantizer)] == [False, False]
    assert not is_fusible(LSQQuantizer(TensorSpec(bits=4, signed=False), Layout()))
