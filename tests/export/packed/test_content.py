"""What a packed file contains: codes, ranges and biases of one layer, by hand."""

import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.codebook import Codebook
from qat.core.scheme import Scheme, TensorSpec
from qat.export.packed.content import AFFINE, CODEBOOK, form_of_codes, packed_content
from qat.quantizers.tabled import TabledQuantizer
from tests.export.integer_networks import set_ranges

A8 = TensorSpec(bits=8, symmetric=False, signed=False)


@pytest.fixture
def qnet():
    """A linear layer of four weights with 4 bits: steps of 0.5, inputs in steps of 1/255."""
    net = nn.Sequential(nn.Linear(4, 1)).eval()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[0.5, -1.0, 3.5, 0.0]]))
        net[0].bias.fill_(0.25)
    images = torch.rand(2, 4)
    scheme = Scheme(TensorSpec(bits=4, granularity="tensor"), A8, first_last="same")
    qnet = quantize(net, make_plan(net, scheme, images))
    calibrate(qnet, [images])
    set_ranges(qnet, {"0.weight": (-3.5, 3.5), "0.act": (0.0, 1.0)})
    return qnet


def test_a_layer_by_hand(qnet):
    tensors, layout = packed_content(qnet)
    assert layout == {"0.weight": {"form": AFFINE, "shape": [1, 4]}}
    # codes 1, -2, 7, 0 with 8 added to each: 9, 6, 15, 8; the first one in the low half
    assert tensors["0.weight"].tolist() == [0x69, 0x8F]
    assert tensors["0.weight_quantizer.scale"].tolist() == [0.5]
    assert tensors["0.input_quantizer.scale"].item() == pytest.approx(1 / 255)
    assert tensors["0.input_quantizer.zero_point"].tolist() == [0]
    assert tensors["0.bias"].tolist() == [0.25]
    assert len(tensors) == 5


def test_codes_are_those_of_the_grid_or_indices_into_the_codebook(qnet):
    assert form_of_codes(qnet[0].weight_quantizer) == AFFINE
    assert form_of_codes(qnet[0].input_quantizer) == AFFINE
    book = Codebook(torch.tensor([[-1.0, -0.25, 0.25, 0.5, 1.0]]))
    tabled = TabledQuantizer(qnet[0].weight_quantizer.spec, book)
    assert form_of_codes(tabled) == CODEBOOK


def test_content_does_not_follow_later_changes(qnet):
    tensors, _ = packed_content(qnet)
    qnet[0].bias.data.fill_(9.0)
    assert tensors["0.bias"].tolist() == [0.25]
