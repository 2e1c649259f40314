"""onnxruntime alone: which nodes compute on codes, and how its profile is read."""

import numpy as np
from onnx import helper

from qat.export.runtimes import onnxruntime
from tests.export.qdq_networks import plain, some_images


def test_a_float_network_computes_the_convolution_of_numpy():
    model = plain()
    weights = {t.name: onnx_array(t) for t in model.graph.initializer}
    x = some_images(2)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    pooled = np.einsum("nchwij,ocij->nohw", view, weights["w"]).clip(0).max(axis=(2, 3))
    session = onnxruntime.OnnxRuntime().load(model.SerializeToString(), threads=1)
    np.testing.assert_allclose(session.run(x), pooled @ weights["v"].T, rtol=1e-4)


def onnx_array(tensor):
    return np.frombuffer(tensor.raw_data, np.float32).reshape(tensor.dims)


def test_a_node_computes_on_codes_if_its_operator_does_or_it_passes_them_on():
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("QLinearConv", ["q"] * 8, ["c"]),
        helper.make_node("MaxPool", ["c"], ["p"]),
        helper.make_node("DequantizeLinear", ["p", "s", "z"], ["d"]),
        helper.make_node("Relu", ["d"], ["r"]),
        helper.make_node("QGemm", ["p"] * 8, ["float_out"]),
        helper.make_node("Reshape", ["float_out", "shape"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "net", [], [])
    codes = dict(zip((n.op_type for n in nodes), onnxruntime._on_codes(graph), strict=True))
    assert [op for op, on_codes in codes.items() if on_codes] == ["QLinearConv", "MaxPool", "QGemm"]


def test_the_events_of_a_profile_are_split_into_runs():
    events = [{"cat": "Session", "name": "model_run", "dur": 9000}]
    for conv, add in ((1500, 500), (2500, 250)):
        events += [
            {"cat": "Node", "name": "conv_kernel_time", "dur": conv},
            {"cat": "Node", "name": "conv_fence_before", "dur": 1},
            {"cat": "Node", "name": "add_kernel_time", "dur": add},
        ]
    assert onnxruntime._rounds(events) == [
        {"conv": 1.5, "add": 0.5},
        {"conv": 2.5, "add": 0.25},
    ]
