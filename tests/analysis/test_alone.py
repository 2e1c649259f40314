import torch
from torch import nn

import qat
from qat.analysis.alone import alone_decibels
from qat.analysis.layers import tensor_rows
from qat.analysis.sqnr import sqnr_db


def quantized(net, images, **act):
    scheme = qat.Scheme(
        weight=qat.TensorSpec(bits=2, granularity="channel"), act=qat.TensorSpec(**act)
    )
    qnet = qat.quantize(net, qat.make_plan(net, scheme, images))
    qat.calibrate(qnet, [images])
    return qnet


def test_a_layer_alone_reads_what_the_float_network_gives(tiny_model, tiny_images):
    qnet = quantized(tiny_model, tiny_images, bits=3)
    # By hand: the head of the quantized network on the float network's own tensors.
    with torch.no_grad():
        x = tiny_model.norm(tiny_model.stem(tiny_images)).relu()
        x = tiny_model.grouped(tiny_model.depthwise(x)).relu().mean(dim=(2, 3))
        expected = sqnr_db(tiny_model.head(x), qnet.head(x))
    assert alone_decibels(tiny_model, qnet, tiny_images)["head"] == expected


def test_the_first_layer_inherits_nothing(tiny_model, tiny_images):
    qnet = quantized(tiny_model, tiny_images, bits=4)
    rows = {
        row.name: row for row in tensor_rows(tiny_model, qnet, tiny_images) if row.slot == "output"
    }
    assert alone_decibels(tiny_model, qnet, tiny_images)["stem"] == rows["stem"].sqnr_db


def test_what_training_changed_in_the_weights_does_not_count(tiny_model, tiny_images):
    qnet = quantized(tiny_model, tiny_images, bits=8)
    before = alone_decibels(tiny_model, qnet, tiny_images)
    changed = quantized(tiny_model, tiny_images, bits=8)
    with torch.no_grad():
        changed.head.weight = nn.Parameter(changed.head.weight * 2)
        changed.head.bias = nn.Parameter(changed.head.bias * 2)
    qat.calibrate(changed, [tiny_images])
    after = alone_decibels(tiny_model, changed, tiny_images)
    assert abs(after["head"] - before["head"]) < 1e-3
