"""From the content of a packed file back to a network."""

import pytest
import torch

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.export.packed.content import packed_content
from qat.export.packed.restore import restore, with_fixed_ranges

SCHEME = Scheme(TensorSpec(bits=4, quantizer=Method("lsq")), TensorSpec(bits=8))


@pytest.fixture
def content(tiny_model, tiny_images):
    """An uncalibrated network with fixed ranges; tensors and layout of a calibrated one."""
    plan = make_plan(tiny_model, SCHEME, tiny_images)
    qnet = quantize(tiny_model, plan)
    calibrate(qnet, [tiny_images])
    return qnet.eval(), quantize(tiny_model, with_fixed_ranges(plan)), *packed_content(qnet)


def test_every_range_is_fixed_and_widths_are_kept(tiny_model, tiny_images):
    plan = make_plan(tiny_model, SCHEME, tiny_images)
    fixed = with_fixed_ranges(plan)
    specs = [spec for layer in fixed.layers.values() for spec in (layer.weight, layer.act)]
    assert len(specs) == 8
    assert all(spec.quantizer == spec.observer == Method("minmax") for spec in specs)
    bits = {name: (layer.weight.bits, layer.act.bits) for name, layer in fixed.layers.items()}
    assert bits["grouped"] == (4, 8)
    assert bits == {name: (p.weight.bits, p.act.bits) for name, p in plan.layers.items()}


def test_a_restored_network_computes_the_same_bit_for_bit(content, tiny_images):
    qnet, empty, tensors, layout = content
    restore(empty, tensors, layout)
    assert torch.equal(empty.eval()(tiny_images), qnet(tiny_images))


def test_missing_and_superfluous_tensors_are_named(content):
    _, empty, tensors, layout = content
    changed = {name: tensor for name, tensor in tensors.items() if name != "head.bias"}
    changed["more"] = torch.zeros(1)
    with pytest.raises(KeyError, match=r"keys differ: head\.bias, more"):
        restore(empty, changed, layout)


def test_codes_of_another_size_are_refused(content):
    _, empty, tensors, layout = content
    with pytest.raises(ValueError, match="head"):
        restore(empty, tensors, layout | {"head.weight": {"form": "affine", "shape": [1, 1]}})
