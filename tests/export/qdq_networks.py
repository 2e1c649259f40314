"""Small quantized ONNX networks, written node by node, with the sums that they compute."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STEP = np.float32(0.05)
LAYERS = ("first", "second", "head")


@dataclass
class QdqNetwork:
    """Nodes and initialisers under way; every tensor between layers is uint8 with one step."""

    weight_type: int = TensorProto.INT8
    qmax: int = 255

    def __post_init__(self):
        self.nodes = []
        self.values = [numpy_helper.from_array(STEP, "step")]
        self.values.append(numpy_helper.from_array(np.uint8(0), "zero"))
        self.values.append(numpy_helper.from_array(np.uint8(self.qmax), "qmax"))

    def add(self, op, inputs, output, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
        return output

    def rounded(self, x, layer):
        """QuantizeLinear, Clip on the codes, DequantizeLinear."""
        codes = self.add("QuantizeLinear", [x, "step", "zero"], f"{layer}/codes", f"{layer}/q")
        if self.qmax < 255:
            inputs = [codes, "zero", "qmax"]
            codes = self.add("Clip", inputs, f"{layer}/clipped", f"{layer}/clip")
        return self.add("DequantizeLinear", [codes, "step", "zero"], f"{layer}/out", f"{layer}/dq")

    def weight(self, layer, codes, scale):
        shape = (len(codes),)
        self.values += [
            helper.make_tensor(f"{layer}/w", self.weight_type, codes.shape, codes.ravel().tolist()),
            numpy_helper.from_array(np.full(shape, scale, np.float32), f"{layer}/s"),
            helper.make_tensor(f"{layer}/z", self.weight_type, shape, [0] * len(codes)),
        ]
        inputs = [f"{layer}/w", f"{layer}/s", f"{layer}/z"]
        return self.add("DequantizeLinear", inputs, f"{layer}/wf", f"{layer}/weight", axis=0)

    def bias(self, layer, codes, scale):
        self.values += [
            numpy_helper.from_array(codes.astype(np.int32), f"{layer}/b"),
            numpy_helper.from_array(np.full(len(codes), scale * STEP, np.float32), f"{layer}/bs"),
            numpy_helper.from_array(np.zeros(len(codes), np.int32), f"{layer}/bz"),
        ]
        inputs = [f"{layer}/b", f"{layer}/bs", f"{layer}/bz"]
        return self.add("DequantizeLinear", inputs, f"{layer}/bf", f"{layer}/bias", axis=0)

    def conv(self, x, layer, codes, bias, scale):
        inputs = [x, self.weight(layer, codes, scale), self.bias(layer, bias, scale)]
        y = self.add("Conv", inputs, f"{layer}/y", layer, kernel_shape=[3, 3], pads=[1] * 4)
        return self.rounded(self.add("Relu", [y], f"{layer}/r", f"{layer}/relu"), layer)

    def linear(self, x, layer, codes, bias, scale):
        inputs = [x, self.weight(layer, codes, scale), self.bias(layer, bias, scale)]
        return self.rounded(self.add("Gemm", inputs, f"{layer}/y", layer, transB=1), layer)

    def model(self, output):
        self.add("Identity", [output], "logits", "output")
        images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 8, 8])
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 5])
        graph = helper.make_graph(self.nodes, "small", [images], [logits], self.values)
        opset = helper.make_opsetid("", 21)
        made = helper.make_model(graph, opset_imports=[opset], ir_version=10)
        onnx.checker.check_model(made, full_check=True)
        return made


def quantized(weight_type=TensorProto.INT8, qmax=255):
    """Two convolutions with ReLU, an add, a max pool, a linear layer: 3 x 8 x 8 to 5 classes."""
    limit = 127 if weight_type == TensorProto.INT8 else 7
    random = np.random.default_rng(0)
    codes = [random.integers(-limit, limit + 1, size) for size in [(8, 3, 3, 3), (8, 8, 3, 3)]]
    bias = random.integers(-limit, limit, 8)
    net = QdqNetwork(weight_type, qmax)
    x = net.conv(net.rounded("images", "input"), "first", codes[0], bias, 0.2 / limit)
    y = net.conv(x, "second", codes[1], bias, 0.2 / limit)
    y = net.rounded(net.add("Add", [x, y], "add/y", "add"), "add")
    y = net.add("MaxPool", [y], "pool/y", "pool", kernel_shape=[8, 8])
    y = net.add("Flatten", [net.rounded(y, "pool")], "flatten/y", "flatten")
    head = random.integers(-limit, limit + 1, (5, 8))
    y = net.linear(net.rounded(y, "flatten"), "head", head, bias[:5] + limit, 1 / limit)
    return net.model(y)


def plain():
    """A float network of the same input: convolution, ReLU, max pool, linear."""
    random = np.random.default_rng(1)
    values = {
        "w": random.normal(size=(8, 3, 3, 3)).astype(np.float32),
        "v": random.normal(size=(5, 8)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["images", "w"], ["c"], name="first", pads=[1] * 4),
        helper.make_node("Relu", ["c"], ["r"], name="first/relu"),
        helper.make_node("MaxPool", ["r"], ["p"], name="pool", kernel_shape=[8, 8]),
        helper.make_node("Flatten", ["p"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "v"], ["logits"], name="head", transB=1),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 8, 8])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 5])
    kept = [numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "plain", [images], [logits], kept)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def some_images(n=4):
    return np.random.default_rng(2).random((n, 3, 8, 8), dtype=np.float32)
