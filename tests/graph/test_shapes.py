import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Scheme
from qat.graph.shapes import layer_calls


def test_calls_in_order_with_shapes_and_minima(tiny_model, tiny_images):
    calls = layer_calls(tiny_model, tiny_images)
    assert [call.name for call in calls] == ["stem", "norm", "depthwise", "grouped", "drop", "head"]
    assert [call.order for call in calls] == list(range(6))
    stem = calls[0]
    assert stem.kind == "Conv2d"
    assert (stem.input_shape, stem.output_shape) == ((16, 3, 8, 8), (16, 8, 8, 8))
    assert stem.input_min == tiny_images.min().item()
    assert calls[2].input_min == 0  # behind a ReLU


def test_a_layer_called_twice_appears_twice(tiny_images):
    layer = nn.Conv2d(3, 3, 1)
    net = nn.Sequential(layer, nn.ReLU(), layer)
    assert [call.name for call in layer_calls(net, tiny_images)] == ["0", "1", "0"]


def test_a_quantized_layer_is_one_layer(tiny_model, tiny_images):
    qnet = quantize(tiny_model, make_plan(tiny_model, Scheme(), tiny_images))
    calibrate(qnet, [tiny_images])
    names = [call.name for call in layer_calls(qnet, tiny_images)]
    assert names == ["stem", "norm", "depthwise", "grouped", "drop", "head"]


def test_modes_statistics_and_hooks_are_left_as_they_were(tiny_model, tiny_images):
    tiny_model.train()
    tiny_model.head.eval()
    mean = tiny_model.norm.running_mean.clone()
    layer_calls(tiny_model, tiny_images)
    assert tiny_model.norm.training
    assert not tiny_model.head.training
    assert torch.equal(tiny_model.norm.running_mean, mean)
    assert not any(m._forward_hooks for m in tiny_model.modules())
