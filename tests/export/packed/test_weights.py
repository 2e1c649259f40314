"""Weights of a packed file, decoded one layer at a time."""

import pytest
import torch

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Rule, Scheme, TensorSpec
from qat.export.packed.network import save_packed
from qat.export.packed.weights import PackedWeights
from qat.layers.walk import twins


@pytest.fixture
def qnet(tiny_model, tiny_images):
    scheme = Scheme(TensorSpec(bits=3), first_last="same", rules=(Rule("head", keep_float=True),))
    qnet = quantize(tiny_model, make_plan(tiny_model, scheme, tiny_images))
    calibrate(qnet, [tiny_images])
    return qnet.eval()


def test_a_weight_is_that_of_the_quantized_layer(qnet, tmp_path):
    save_packed(qnet, tmp_path / "net.safetensors")
    weights = PackedWeights(tmp_path / "net.safetensors", dict(twins(qnet)))
    assert list(weights.layers) == ["stem", "depthwise", "grouped"]
    for name, twin in twins(qnet):
        buffer = torch.full((twin.weight.numel(),), torch.nan)
        weights.unpack(name, buffer)
        assert torch.equal(buffer.reshape(weights.shape(name)), twin.quantized()[0])


def test_three_bits_of_each_code_are_stored(qnet, tmp_path):
    save_packed(qnet, tmp_path / "net.safetensors")
    weights = PackedWeights(tmp_path / "net.safetensors", dict(twins(qnet)))
    # 8 * 3 * 9 = 216, 8 * 9 = 72 and 12 * 2 * 9 = 216 weights
    assert weights.bytes == 216 * 3 // 8 + 72 * 3 // 8 + 216 * 3 // 8


def test_a_layer_whose_weight_is_stored_as_floats_is_left_out(qnet, tmp_path):
    save_packed(qnet, tmp_path / "net.safetensors")
    weights = PackedWeights(tmp_path / "net.safetensors", {"stem": dict(twins(qnet))["stem"]})
    assert list(weights.layers) == ["stem"]
    assert weights.bytes == 81
