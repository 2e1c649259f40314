"""What quantizers of two and three levels share: ranges by hand, and when levels follow weights."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.levels import LevelsQuantizer, WeightLevelsQuantizer
from qat.quantizers.registry import make_quantizer

NAMES = {"binary": 1, "ternary": 2}


def weights(name, layout=None):
    spec = TensorSpec(bits=NAMES[name], signed=True, quantizer=Method(name))
    return make_quantizer(spec, layout or Layout())


@pytest.mark.parametrize("name", NAMES)
class TestLevels:
    def test_a_range_by_hand(self, name):
        quantizer = weights(name, Layout(axis=0, channels=2)).eval()
        assert isinstance(quantizer, WeightLevelsQuantizer | LevelsQuantizer)
        quantizer.set_range(torch.tensor([-1.0, -3.0]), torch.tensor([2.0, 0.0]))
        assert quantizer.scale.tolist() == [2.0, 3.0]
        assert quantizer(torch.tensor([[9.0], [-9.0]])).tolist() == [[2.0], [-3.0]]

    def test_levels_follow_weights_in_training_until_frozen(self, name):
        quantizer = weights(name)
        for frozen, training, scale in ((False, True, 4.0), (False, False, 4.0), (True, True, 4.0)):
            quantizer.frozen = frozen
            quantizer.train(training)
            x = torch.full((2, 3), 4.0 if not frozen and training else 7.0)
            assert quantizer.only_rounds == (quantizer.is_rounding and (frozen or not training))
            quantizer(x)
            assert quantizer.scale.item() == scale

    def test_nan_is_refused_by_name(self, name):
        quantizer = weights(name)
        quantizer.label = "conv1 weight"
        with pytest.raises(ValueError, match=r"conv1 weight: .*NaN or infinity"):
            quantizer(torch.tensor([torch.nan]))

    def test_there_is_no_step(self, name):
        with pytest.raises(ValueError, match="has levels instead of a step: use codebook"):
            weights(name).qparams()

    def test_a_channel_of_zeros_stays_zero(self, name):
        quantizer = weights(name)
        assert quantizer(torch.zeros(3, 4)).abs().sum() == 0
        assert quantizer.decode(quantizer.encode(torch.zeros(3, 4))).abs().sum() == 0
