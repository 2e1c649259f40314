"""Files that this project exported: the same bits, symmetry, scales, zero points and outputs."""

import json

import onnx
import pytest
import torch
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from qat.base.errors import InputError, UnknownNameError
from qat.convert.held import hold_ranges
from qat.convert.swap import quantize
from qat.export.imported.own import own_plan, own_ranges
from qat.export.onnx.network import export_onnx
from qat.layers.walk import quantizers
from tests.export.integer_networks import Residual, calibrated, images, scheme

SCHEMES = [
    scheme(),
    scheme(3, 4),
    scheme(4, 8, symmetric=False),
    scheme(2, 5, granularity="tensor"),
    scheme(8, 8, first_last="same", symmetric=False, granularity="tensor"),
]


def exported(folder, chosen, net):
    qnet = calibrated(net, chosen)
    export_onnx(qnet, folder / "net.onnx", images())
    return qnet, onnx.load(folder / "net.onnx")


def imported(model, net):
    return own_ranges(model, own_plan(model), net)


@pytest.mark.parametrize("chosen", SCHEMES)
def test_a_round_trip_keeps_formats_ranges_and_outputs(tmp_path, chosen):
    net = Residual().eval()
    qnet, model = exported(tmp_path, chosen, net)
    held = imported(model, net)
    again = quantize(net, held.plan).eval()
    assert hold_ranges(again, held) == []
    own = {(name, slot): q for name, slot, q in quantizers(qnet)}
    new = {(name, slot): q for name, slot, q in quantizers(again)}
    assert own.keys() == new.keys()
    for place, quantizer in own.items():
        assert quantizer.spec == new[place].spec
        before, after = quantizer.qparams(), new[place].qparams()
        assert torch.equal(before.scale, after.scale), place
        assert torch.equal(before.zero_point, after.zero_point), place
    with torch.no_grad():
        assert torch.equal(qnet(images()), again(images()))


def test_the_imported_network_computes_what_the_file_computes(tmp_path):
    """Oracle: onnx's own evaluator of the file, to half a step of the logits."""
    net = Residual().eval()
    _, model = exported(tmp_path, scheme(4, 8), net)
    held = imported(model, net)
    again = quantize(net, held.plan).eval()
    hold_ranges(again, held)
    (logits,) = ReferenceEvaluator(model).run(None, {"images": images().numpy()})
    step = held.ranges["head.tensor"].scale[0]
    with torch.no_grad():
        assert (again(images()) - torch.from_numpy(logits)).abs().max() < step / 2


def test_a_file_of_another_program_has_no_plan():
    assert own_plan(onnx.ModelProto()) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 9}'])
def test_a_damaged_plan_is_refused(text):
    model = onnx.ModelProto()
    onnx.helper.set_model_props(model, {"plan": text})
    with pytest.raises(InputError, match=r"its plan cannot be read"):
        own_plan(model)


def without(model, name):
    kept = [each for each in model.graph.initializer if each.name != name]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def test_a_file_that_was_changed_is_refused(tmp_path):
    net = Residual().eval()
    _, model = exported(tmp_path, scheme(), net)
    scale = next(i for i in model.graph.initializer if i.name == "second/scale")
    scale.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(scale), "second/scale"))
    with pytest.raises(InputError, match=r"second/scale has the scale -.*export the run again"):
        imported(model, net)
    without(model, "second/scale")
    with pytest.raises(InputError, match=r"it has a plan and no 'second/scale'"):
        imported(model, net)


def test_a_plan_with_fewer_bits_than_its_zero_points_is_refused(tmp_path):
    net = Residual().eval()
    _, model = exported(tmp_path, scheme(symmetric=False), net)
    plan = json.loads(model.metadata_props[0].value)
    plan["tensors"]["input"]["spec"]["bits"] = 2
    onnx.helper.set_model_props(model, {"plan": json.dumps(plan)})
    with pytest.raises(InputError, match=r"input/zero_point is outside the codes 0 to 3"):
        imported(model, net)


def test_another_network_is_refused(tmp_path):
    _, model = exported(tmp_path, scheme(), Residual().eval())
    with pytest.raises(UnknownNameError, match=r"the plan belongs to another network"):
        imported(model, torch.nn.Sequential(torch.nn.Linear(2, 2)))
    wider = Residual().eval()
    wider.conv = torch.nn.Conv2d(3, 16, 3)
    with pytest.raises(InputError, match=r"'conv' has 8 output channels in the file and 16 in"):
        imported(model, wider)
