"""Files of other programs, made by hand: encodings of AIMET, and QDQ ONNX graphs."""

import json

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn


class Small(nn.Module):
    """Two convolutions, an add, an average, a linear layer, all with names."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU()
        self.body = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 5)

    def forward(self, x):
        x = self.relu(self.stem(x))
        x = x + self.body(x)
        return self.head(x.mean(dim=(2, 3)))


def small():
    """The network with known weights, in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return Small().eval()


def images(n=4):
    return torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(5))


def per_channel(scales, bits=8):
    """Entries of the older form for a symmetric weight."""
    offset = -(2 ** (bits - 1))
    facts = {"bitwidth": bits, "dtype": "int", "is_symmetric": "True", "offset": offset}
    return [{**facts, "scale": scale, "min": 0.0, "max": 0.0} for scale in scales]


def per_tensor(scale, offset, bits=8):
    """An entry of the older form for an asymmetric activation."""
    facts = {"bitwidth": bits, "dtype": "int", "is_symmetric": "False", "offset": offset}
    return {**facts, "scale": scale, "min": 0.0, "max": 0.0}


def torch_encodings():
    """As ``save_encodings_to_json`` of aimet_torch writes them, for :class:`Small`."""
    return {
        "activation_encodings": {
            "stem": {"input": {"0": per_tensor(0.03, -120)}},
            "relu": {"output": {"0": per_tensor(0.02, 0)}},
            "body": {"output": {"0": per_tensor(0.04, -100)}},
            "head": {"input": {"0": per_tensor(0.05, -90)}, "output": {"0": per_tensor(0.06, -7)}},
        },
        "param_encodings": {
            "stem.weight": per_channel([0.01, 0.02, 0.03, 0.04]),
            "body.weight": per_channel([0.5], bits=4),
            "head.weight": per_channel([0.1, 0.2, 0.3, 0.4, 0.5]),
            "head.bias": per_channel([0.001], bits=32),
        },
    }


def listed(name, bits, scale, offset, *, symmetric, kind="PER_TENSOR", **more):
    """An entry of version 1.0.0."""
    facts = {"name": name, "bw": bits, "dtype": "INT", "enc_type": kind, "is_sym": symmetric}
    return {**facts, "scale": scale, "offset": offset, **more}


def list_encodings():
    """Version 1.0.0 with names of an ONNX graph of torch's older exporter."""
    return {
        "version": "1.0.0",
        "param_encodings": [
            listed("stem.weight", 8, [0.01, 0.02, 0.03, 0.04], [-128] * 4, symmetric=True),
            listed("body.weight", 4, [0.5], [-8], symmetric=True),
            listed("head.weight", 8, [0.25], [-128], symmetric=True),
        ],
        "activation_encodings": [
            listed("input", 8, [0.03], [-120], symmetric=False),
            listed("/relu/Relu_output_0", 8, [0.02], [0], symmetric=False),
            listed("/Add_output_0", 8, [0.04], [-64], symmetric=False),
            listed("/Unknown_output_0", 8, [0.04], [-64], symmetric=False),
        ],
    }


def onnx_term_encodings():
    """Version 2.0.0."""
    return {
        "version": "2.0.0",
        "encodings": [
            {"name": "stem.weight", "output_dtype": "int8", "y_scale": [0.5] * 4, "axis": 0},
            {"name": "body.weight", "output_dtype": "int4", "y_scale": 0.25},
            {"name": "input", "output_dtype": "uint8", "y_scale": 0.125, "y_zero_point": 128},
            {"name": "relu", "output_dtype": "uint8", "y_scale": 0.25, "y_zero_point": 3},
            {"name": "head.weight", "output_dtype": "float16"},
        ],
    }


def written(folder, data, name="net.encodings"):
    path = folder / name
    path.write_text(json.dumps(data))
    return path


class QdqWriter:
    """A graph in the QDQ format, node by node; every tensor has its own scale."""

    def __init__(self):
        self.nodes, self.values = [], []

    def constant(self, name, array, kind=None):
        array = np.asarray(array)
        if kind is None:
            self.values.append(numpy_helper.from_array(array, name))
        else:
            self.values.append(helper.make_tensor(name, kind, array.shape, array.ravel().tolist()))
        return name

    def node(self, op, inputs, output, name="", **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
        return output

    def rounded(self, x, scale, zero, kind=TensorProto.UINT8, low=None, high=None):
        """QuantizeLinear, perhaps Clip, DequantizeLinear."""
        own = [
            self.constant(f"{x}_scale", np.float32(scale)),
            self.constant(f"{x}_zero", np.array(zero), kind),
        ]
        codes = self.node("QuantizeLinear", [x, *own], f"{x}_q")
        if high is not None:
            bounds = [
                self.constant(f"{x}_low", np.array(low), kind),
                self.constant(f"{x}_high", np.array(high), kind),
            ]
            codes = self.node("Clip", [codes, *bounds], f"{x}_clipped")
        return self.node("DequantizeLinear", [codes, *own], f"{x}_dq")

    def weight(self, name, codes, scales, kind=TensorProto.INT8, axis=0):
        """Stored codes and DequantizeLinear."""
        scales = np.asarray(scales, np.float32)
        inputs = [
            self.constant(name, codes, kind),
            self.constant(f"{name}_scale", scales),
            self.constant(f"{name}_zero", np.zeros(scales.shape, np.int64), kind),
        ]
        return self.node("DequantizeLinear", inputs, f"{name}_dq", axis=axis)

    def model(self, output, classes=5):
        images_ = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 8, 8])
        logits = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", classes])
        graph = helper.make_graph(self.nodes, "small", [images_], [logits], self.values)
        opset = helper.make_opsetid("", 21)
        made = helper.make_model(graph, opset_imports=[opset], ir_version=10)
        onnx.checker.check_model(made, full_check=True)
        return made


WEIGHTS = {"stem": [0.01, 0.02, 0.03, 0.04], "body": [0.5], "head": [0.1, 0.2, 0.3, 0.4, 0.5]}
"""Scales of the weights of :func:`small_qdq`."""


def small_qdq(prefix="", body=TensorProto.INT4, whole_biases=False):
    """The graph of :class:`Small`, with codes of weights that are those of :func:`small`.

    Args:
        prefix: Beginning of the names of weights and nodes.
        body: Type of the weight of the second layer.
        whole_biases: Store biases as int32 of scale ``s_x * s_w``.
    """
    net, w = small(), QdqWriter()
    codes = {}
    for name, scales in WEIGHTS.items():
        value = net.get_submodule(name).weight.detach().numpy()
        wide = np.array(scales, np.float32).reshape(-1, *[1] * (value.ndim - 1))
        bound = 7 if name == "body" and body == TensorProto.INT4 else 127
        codes[name] = np.clip(np.round(value / wide), -bound - 1, bound).astype(np.int64)

    def bias_of(name, input_scale):
        value = net.get_submodule(name).bias.detach().numpy()
        if not whole_biases:
            return w.constant(f"{name}.bias", value)
        step = np.float32(input_scale) * np.array(WEIGHTS[name], np.float32)
        codes_ = np.round(value / step).astype(np.int64)
        scales = np.broadcast_to(step, codes_.shape)
        return w.weight(f"{name}.bias", codes_, scales, TensorProto.INT32)

    x = w.rounded("images", 0.03, 120)
    stem = w.weight(f"{prefix}stem.weight", codes["stem"], WEIGHTS["stem"])
    bias = bias_of("stem", 0.03)
    y = w.node("Conv", [x, stem, bias], "stem_out", f"{prefix}stem/Conv", pads=[1] * 4)
    y = w.rounded(w.node("Relu", [y], "relu_out"), 0.02, 0)
    body_weight = w.weight(f"{prefix}body.weight", codes["body"], 0.5, body)
    bias = bias_of("body", 0.02)
    z = w.node("Conv", [y, body_weight, bias], "body_out", f"{prefix}body/Conv", pads=[1] * 4)
    z = w.rounded(z, 0.04, 100, low=0, high=255)
    s = w.rounded(w.node("Add", [y, z], "sum"), 0.05, 90)
    axes = w.constant("axes", np.array([2, 3], np.int64))
    m = w.node("ReduceMean", [s, axes], "mean_out", keepdims=0)
    m = w.rounded(m, 0.025, 64)
    head = w.weight(f"{prefix}head.weight", codes["head"], WEIGHTS["head"])
    bias = bias_of("head", 0.025)
    logits = w.node("Gemm", [m, head, bias], "logits_raw", f"{prefix}head/Gemm", transB=1)
    return w.model(w.rounded(logits, 0.06, 128))
