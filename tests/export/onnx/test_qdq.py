"""Integer networks as ONNX files: their content, and their results in onnxruntime."""

import json

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import nn

from qat.convert.rules import plan_of
from qat.core.plan import Plan
from qat.core.scheme import Rule
from qat.export.onnx.qdq import stored_bits, to_onnx
from qat.export.runtimes.labels import label
from qat.export.runtimes.registry import make_runtime
from tests.export.integer_networks import Residual, calibrated, images, read_program, scheme

LAYERS = ("conv", "second", "head")


def exported(weight_bits=8, act_bits=8, **more):
    qnet = calibrated(Residual(), scheme(weight_bits, act_bits, **more))
    return qnet, to_onnx(read_program(qnet, images()))


def initialisers(model):
    return {tensor.name: tensor for tensor in model.graph.initializer}


def load(model, **options):
    return make_runtime().load(model.SerializeToString(), threads=1, **options)


def test_only_standard_operators_and_an_open_batch_axis():
    _, model = exported(4, 4)
    onnx.checker.check_model(model, full_check=True)
    assert {node.domain for node in model.graph.node} == {""}
    assert [opset.domain for opset in model.opset_import] == [""]
    (given,), (made,) = model.graph.input, model.graph.output
    shapes = [
        [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in (given, made)
    ]
    assert (given.name, made.name) == ("images", "logits")
    assert shapes == [["batch", 3, 8, 8], ["batch", 5]]
    for n in (1, 3):
        assert load(model).run(images(n).numpy()).shape == (n, 5)


@pytest.mark.parametrize(
    ("bits", "signed", "symmetric"),
    [
        (8, TensorProto.INT8, True),
        (7, TensorProto.INT8, True),
        (5, TensorProto.INT8, True),
        (4, TensorProto.INT4, True),
        (3, TensorProto.INT4, True),
        (2, TensorProto.INT2, True),
        (4, TensorProto.INT4, False),
        (2, TensorProto.INT2, False),
    ],
)
@pytest.mark.parametrize("granularity", ["tensor", "channel"])
def test_weights_are_stored_at_their_width(bits, signed, symmetric, granularity):
    qnet, model = exported(bits, symmetric=symmetric, granularity=granularity)
    found = initialisers(model)
    weight, (grid,) = found["second/weight"], [qnet.second.weight_quantizer.grid]
    assert weight.data_type == signed
    stored = numpy_helper.to_array(weight).astype(int)
    codes = qnet.second.weight_quantizer.encode(qnet.second.weight.detach())
    assert np.array_equal(stored, codes.numpy())
    assert grid.qmin <= stored.min() <= stored.max() <= grid.qmax
    assert len(weight.raw_data) == 8 * 8 * 3 * 3 * stored_bits(bits) // 8
    scale = numpy_helper.to_array(found["second/weight_scale"])
    assert scale.shape == (() if granularity == "tensor" else (8,))


def test_unsigned_weights_have_unsigned_types():
    for bits, kind in [(8, TensorProto.UINT8), (4, TensorProto.UINT4), (2, TensorProto.UINT2)]:
        asked = scheme(bits, symmetric=False)
        weight = asked.weight.but(signed=False)
        qnet = calibrated(Residual(), type(asked)(weight, asked.act, "same", "integer"))
        model = to_onnx(read_program(qnet, images()))
        assert initialisers(model)["second/weight"].data_type == kind
        found = load(model).run(images().numpy())
        assert steps_apart(found, qnet, images()) <= 1


def test_widths_are_mixed_layer_by_layer():
    rules = (Rule("conv", weight={"bits": 2}), Rule("head", weight={"bits": 4}))
    _, model = exported(rules=rules)
    kinds = {name: initialisers(model)[f"{name}/weight"].data_type for name in LAYERS}
    assert kinds == {
        "conv": TensorProto.INT2,
        "second": TensorProto.INT8,
        "head": TensorProto.INT4,
    }


def test_biases_are_int32_of_input_times_weight_scale():
    qnet, model = exported()
    found = initialisers(model)
    bias = numpy_helper.to_array(found["second/bias"])
    assert bias.dtype == np.int32
    scales = [numpy_helper.to_array(found[f"{n}_scale"]) for n in ("second/bias", "second/weight")]
    given = numpy_helper.to_array(found["conv/scale"])
    assert np.array_equal(scales[0], given * scales[1])
    wanted = qnet.second.bias.detach().double().numpy() / (given.astype(float) * scales[1])
    assert np.abs(bias - wanted).max() <= 0.5


def test_a_layer_without_bias_has_none():
    net = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU())
    model = to_onnx(read_program(calibrated(net), images()))
    assert not any("bias" in name for name in initialisers(model))
    assert load(model).run(images().numpy()).shape == (4, 4, 6, 6)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("bits", [8, 4])
def test_activations_are_unsigned_bytes(bits, symmetric):
    _, model = exported(8, bits, symmetric=symmetric)
    for name, tensor in initialisers(model).items():
        if name.endswith("/zero_point"):
            assert tensor.data_type == TensorProto.UINT8, name
    codes = ["input/codes", "conv/codes", "add/codes", "head/codes"]
    values = load(model, outputs=codes).run_all(images().numpy())
    for name in codes:
        assert values[name].dtype == np.uint8
        assert len(np.unique(values[name])) <= 2**bits


def test_the_clip_of_codes_follows_quantize_linear():
    _, model = exported(8, 4)
    makers = {node.output[0]: node for node in model.graph.node}
    clips = [node for node in model.graph.node if node.op_type == "Clip"]
    assert len(clips) == 6  # every tensor that is stored
    for clip in clips:
        assert makers[clip.input[0]].op_type == "QuantizeLinear"
        bounds = [initialisers(model)[name] for name in clip.input[1:]]
        assert [bound.data_type for bound in bounds] == [TensorProto.UINT8] * 2
    low, high = (numpy_helper.to_array(initialisers(model)[f"conv/{b}"]) for b in ("low", "high"))
    assert (low, high) == (0, 15)


def test_eight_bit_codes_need_no_clip():
    _, model = exported(8, 8)
    assert not [node for node in model.graph.node if node.op_type == "Clip"]


@pytest.mark.parametrize("weight_bits", [8, 4, 3, 2])
@pytest.mark.parametrize("act_bits", [8, 4])
def test_onnxruntime_runs_it_on_integers(weight_bits, act_bits):
    _, model = exported(weight_bits, act_bits)
    session = load(model)
    ops = [node.op for node in session.nodes()]
    assert ops.count("QLinearConv") == 2
    assert ops.count("QGemm") == ops.count("QLinearAdd") == 1
    assert not {"Conv", "FusedConv", "Gemm", "FusedGemm", "Add"} & set(ops)
    assert label(session.nodes(), LAYERS) is None


def steps_apart(logits, qnet, x):
    scale = qnet.tensors.head.quantizer.qparams().scale.item()
    with torch.no_grad():
        return np.abs(logits - qnet(x).numpy()).max() / scale


@pytest.mark.parametrize("optimize", [True, False])
@pytest.mark.parametrize(("weight_bits", "act_bits"), [(8, 8), (8, 4), (4, 8), (3, 3), (2, 2)])
def test_the_runtime_computes_what_the_simulation_does(weight_bits, act_bits, optimize):
    qnet, model = exported(weight_bits, act_bits)
    found = load(model, optimize=optimize).run(images().numpy())
    assert len(np.unique(found)) > 1
    assert steps_apart(found, qnet, images()) <= 1.001  # floats at a tie may round apart


def test_the_file_means_what_the_reference_evaluator_of_onnx_says():
    qnet, model = exported(4, 8)
    found = ReferenceEvaluator(model).run(None, {"images": images().numpy()})[0]
    assert steps_apart(found, qnet, images()) <= 1.001


def test_the_plan_lies_in_the_metadata():
    qnet, model = exported(4, 8)
    (entry,) = model.metadata_props
    assert entry.key == "plan"
    assert Plan.from_dict(json.loads(entry.value)) == plan_of(qnet)
    assert model.producer_name == "qatlab"


class Named(nn.Module):
    """Layers under the names that the file gives its own input and output."""

    def __init__(self):
        super().__init__()
        self.images, self.input = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
        self.output, self.logits = nn.Conv2d(4, 4, 1), nn.Linear(4, 5)

    def forward(self, x):
        x = self.output(self.input(self.images(x).relu()).relu()).relu()
        return self.logits(x.mean((2, 3)))


def test_layers_may_bear_the_names_of_input_and_output():
    qnet = calibrated(Named())
    model = to_onnx(read_program(qnet, images()))
    found = load(model).run(images().numpy())
    scale = qnet.tensors.logits.quantizer.qparams().scale.item()
    assert np.abs(found - qnet(images()).detach().numpy()).max() <= 1.001 * scale


def test_logits_that_no_linear_layer_makes():
    net = nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = to_onnx(read_program(calibrated(net), images()))
    assert load(model).run(images().numpy()).shape == (4, 5)


# Files ------------------------------------------------------------------------------------------


def test_four_bit_weights_take_half_the_bytes_and_two_a_quarter():
    sizes = {}
    for bits in (8, 4, 2):
        _, model = exported(bits)
        weights = [t for n, t in initialisers(model).items() if n.endswith("/weight")]
        sizes[bits] = sum(len(tensor.raw_data) for tensor in weights)
    assert sizes[8] == 3 * 8 * 9 + 8 * 8 * 9 + 8 * 5
    assert (sizes[4], sizes[2]) == (sizes[8] / 2, sizes[8] / 4)


def test_stored_types_are_the_next_wider():
    assert [stored_bits(bits) for bits in range(2, 9)] == [2, 4, 4, 8, 8, 8, 8]
    assert helper.tensor_dtype_to_string(TensorProto.INT2) == "TensorProto.INT2"
