"""What methods with a table of levels share."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.tables import TableQuantizer


class Thirds(TableQuantizer):
    """Levels 0, 1/3 and 1 of a largest one."""

    def __init__(self, layout=None):
        super().__init__(TensorSpec(bits=2, signed=False), layout or Layout())
        self.register_buffer("largest", torch.ones(self.layout.shape))

    def levels(self):
        return self.largest.reshape(-1, 1) * torch.tensor([0.0, 1 / 3, 1.0])

    def set_largest(self, largest):
        self.largest.copy_(largest)

    def quantize(self, x):
        return self._nearest_level(x, self.levels())


def test_a_range_is_its_larger_magnitude():
    quantizer = Thirds(Layout.of_weight("channel", (3, 2)))
    quantizer.set_range(torch.tensor([-3.0, 0.0, -1.0]), torch.tensor([1.0, 0.0, 6.0]))
    assert quantizer.largest.tolist() == [3.0, 1.0, 6.0]
    quantizer.set_range(-2.0, 1.0)
    assert quantizer.largest.tolist() == [2.0] * 3


def test_a_range_of_nan_is_refused():
    with pytest.raises(ValueError, match="a range must be finite"):
        Thirds().set_range(0.0, float("nan"))


def test_nan_stays_and_other_values_decode_from_their_codes():
    quantizer, x = Thirds(), torch.tensor([0.1, 0.2, 0.9, 7.0])
    assert torch.equal(quantizer.quantize(x), quantizer.decode(quantizer.encode(x)))
    assert bool(quantizer.quantize(torch.tensor([float("nan")])).isnan())


def test_there_is_no_step():
    for call in (Thirds().qparams, lambda: Thirds().set_qparams(torch.ones(1), torch.zeros(1))):
        with pytest.raises(ValueError, match="has levels instead of a step"):
            call()
