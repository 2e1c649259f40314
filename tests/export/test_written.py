"""Operations with every argument they take: each is computed rightly in onnxruntime, or refused.

A way to write an operation is planned, calibrated, exported and run. What the runtime computes is
held against the float network, whose arguments torch reads: one that was dropped on the way shows.
"""

import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from qat.convert.rules import make_plan
from qat.export.onnx.qdq import to_onnx
from qat.export.reference.run import logits
from qat.graph.arguments import FUNCTIONS, METHODS, MODULES
from qat.graph.operations import UnsupportedOperationError
from qat.graph.trace import TraceError
from tests.export.integer_networks import calibrated, images, read_program, scheme

NEAREST = {"mode": "nearest"}


class Written(nn.Module):
    """A convolution, an operation, flattened."""

    def __init__(self, function):
        super().__init__()
        self.conv, self.function = nn.Conv2d(3, 4, 3, padding=1), function

    def forward(self, x):
        return self.function(self.conv(x)).flatten(1)


class Two(Written):
    """Two convolutions and the operation that joins them; the second output is smaller."""

    def __init__(self, function):
        super().__init__(function)
        self.second = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.function(self.conv(x), self.second(x)).flatten(1)


UNDERSTOOD = {
    "relu": [lambda x: F.relu(x, inplace=True), lambda x: F.relu(input=x), lambda x: x.relu_()],
    "clamp": [
        *(lambda x: x.clamp(0, 6), lambda x: x.clamp(min=0), lambda x: torch.clip(x, max=6, min=0)),
        *(nn.Hardtanh(0, 6), lambda x: F.hardtanh(x, 0.0, 6.0), lambda x: x.clamp_(0)),
    ],
    "leaky_relu": [lambda x: F.leaky_relu(x, 0.3), nn.LeakyReLU(0.2)],
    "elu": [lambda x: F.elu(x, alpha=2.0), nn.ELU(0.5)],
    "gelu": [lambda x: F.gelu(x, approximate="tanh"), nn.GELU()],
    "add": [
        *(lambda x: torch.add(x, x, alpha=0.25), lambda x: x.add(x.relu(), alpha=2)),
        *(lambda x: torch.add(x.relu(), other=x), lambda x: torch.add(input=x, other=x)),
    ],
    "mul": [lambda x: x * x.sigmoid(), lambda x: torch.mul(x, other=x.tanh())],
    "concat": [
        *(lambda x: torch.cat([x, x], 1), lambda x: torch.cat((x, x), dim=-1)),
        *(lambda x: torch.concat(tensors=[x, x], axis=2), lambda x: torch.concatenate([x, x], 1)),
    ],
    "max_pool": [
        *(lambda x: F.max_pool2d(x, 3, 2, 1), lambda x: F.max_pool2d(x, (2, 3), ceil_mode=True)),
        *(lambda x: F.max_pool2d(x, 2, 1, 0, 2), lambda x: torch.max_pool2d(x, 2)),
        nn.MaxPool2d(3, stride=2, dilation=2),
    ],
    "avg_pool": [
        *(lambda x: F.avg_pool2d(x, 3, 2, 1), lambda x: F.avg_pool2d(x, 3, 2, ceil_mode=True)),
        lambda x: F.avg_pool2d(x, 3, 2, padding=1, count_include_pad=False),
        lambda x: F.avg_pool2d(x, 3, 2, 1, True, False),
        *(lambda x: F.avg_pool2d(x, x.size()[3]), lambda x: F.avg_pool2d(x, x.shape[2:])),
    ],
    "adaptive_avg_pool": [
        *(lambda x: F.adaptive_avg_pool2d(x, (2, 4)), nn.AdaptiveAvgPool2d((1, 1))),
        lambda x: F.adaptive_avg_pool2d(x, x.shape[-1] // 2),
    ],
    "mean": [
        *(lambda x: x.mean((2, 3)), lambda x: x.mean([-1, -2], keepdim=True)),
        lambda x: torch.mean(x, axis=(2, 3), keepdims=True),
    ],
    "pad": [
        *(lambda x: F.pad(x, (1, 2, 3, 0)), nn.ZeroPad2d((1, 0, 2, 1)), nn.ConstantPad2d(1, 0.0)),
        lambda x: F.pad(x, (0, 9 - x.shape[-1]), value=0),
    ],
    "reshape": [
        *(lambda x: x.view(x.size(0), -1), lambda x: x.reshape(x.shape[0], 2, -1)),
        *(lambda x: torch.reshape(x, (-1, 256)), lambda x: x.view(-1, x.size(1) * 64)),
        *(lambda x: x.mean((2, 3), keepdim=True).squeeze(), lambda x: torch.squeeze(x[:, :1], 1)),
        *(lambda x: x.unsqueeze(1), lambda x: torch.unsqueeze(x, dim=-1)),
    ],
    "flatten": [nn.Flatten(), nn.Flatten(2), lambda x: torch.flatten(x, start_dim=1, end_dim=2)],
    "permute": [
        *(lambda x: x.permute(0, 2, 3, 1), lambda x: torch.permute(x, dims=(0, 3, 1, 2))),
        *(lambda x: x.transpose(1, 2), lambda x: torch.transpose(x, dim0=-1, dim1=1)),
        lambda x: x.view(x.size(0), 2, 2, 8, 8).transpose(1, 2).contiguous(),
    ],
    "slice": [
        *(lambda x: x[:, :, 0, 0], lambda x: x[:, 1:, ::2, -1], lambda x: x[..., 2]),
        *(lambda x: x[:, None, :, 3], lambda x: x[: x.size(0), :2], lambda x: x[:, -1]),
        lambda x: x[:, :, : x.size(2) - 3, : x.shape[-1] // 2],
    ],
    "split": [
        *(lambda x: x.chunk(2, 1)[1], lambda x: torch.chunk(x, 2, dim=1)[0]),
        *(lambda x: x.split([1, 3], dim=1)[1], lambda x: torch.split(x, 3, dim=2)[2]),
    ],
    "resize": [
        *(nn.Upsample(scale_factor=2), lambda x: F.interpolate(x, size=(13, 5))),
        *(lambda x: F.interpolate(x, scale_factor=1.7), lambda x: F.interpolate(x, 5, **NEAREST)),
        lambda x: F.interpolate(x[:, :, ::2, 1:6], size=x.shape[-2:], mode="nearest-exact"),
        lambda x: F.interpolate(x, scale_factor=1.7, recompute_scale_factor=True),
    ],
    "conv": [
        *(nn.Conv2d(4, 4, 3, padding="same"), nn.Conv2d(4, 4, (3, 2), (2, 1), (1, 0), 2)),
        *(nn.Conv2d(4, 6, 3, groups=2, bias=False), nn.Conv2d(4, 4, 2, padding="valid")),
        nn.Conv2d(4, 4, 4, padding="same", dilation=2),
    ],
    "norm": [nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False)],
    "linear": [nn.Sequential(nn.Flatten(), nn.Linear(256, 3, bias=False))],
    "identity": [nn.Dropout(0.5), lambda x: F.dropout(x, 0.3, False), lambda x: x.clone()],
    "plain": [
        *(nn.SiLU(True), nn.Hardswish(), nn.Hardsigmoid(), nn.Tanh(), nn.Sigmoid(), nn.ReLU6()),
    ],
}
TOGETHER = [
    lambda x, y: y + x[:, :, : y.size(2), : y.size(3)],
    lambda x, y: x + F.interpolate(y, size=x.shape[-2:]),
    lambda x, y: torch.add(x[:, :, 1:-1, 1:-1], y, alpha=0.1),
    lambda x, y: torch.add(y, x[:, :, 2:, 2:], alpha=3),
    lambda x, y: x.add_(F.pad(y, (1, 1, 1, 1)), alpha=0.5),
]
REFUSED = {
    "has divisor_override=3": [lambda x: F.avg_pool2d(x, 2, divisor_override=3)],
    "has return_indices=True": [nn.MaxPool2d(2, return_indices=True)],
    "clamps to -1": [lambda x: F.hardtanh(x), nn.Hardtanh(), lambda x: x.clamp(-1, 1)],
    "clamps to 0..5": [lambda x: torch.clamp(x, 0, 5)],
    "clamps to 0.1..None": [lambda x: x.clamp(min=0.1)],
    "has alpha=-1": [lambda x: torch.add(x, x.relu(), alpha=-1)],
    "has dtype=torch.float64": [lambda x: x.mean((2, 3), dtype=torch.float64).float()],
    "has out=": [lambda x: torch.add(x, x, out=x)],
    "has mode=reflect": [lambda x: F.pad(x, (1, 1), mode="reflect")],
    "has value=1": [lambda x: F.pad(x, (1, 1), value=1.0), nn.ConstantPad2d(1, 1.0)],
    "interpolates by mode=bilinear": [lambda x: F.interpolate(x, scale_factor=2, mode="bilinear")],
    "has align_corners=True": [nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)],
    "has padding_mode=reflect": [nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")],
    "joins images": [lambda x: torch.cat([x, x])],
    "selects images": [lambda x: x[:2], lambda x: x[0], lambda x: x.chunk(2)[0]],
    "moves images": [lambda x: x.transpose(0, 1), lambda x: x.flatten(0, 1)],
    "indexes by something other": [lambda x: x[:, [0, 2]]],
    "is not over height and width": [lambda x: x.mean(1)],
    "running statistics": [nn.BatchNorm2d(4, track_running_stats=False)],
    "oftmax": [lambda x: F.softmax(x, dim=1), nn.Softmax(1)],
    "drops in evaluation mode": [lambda x: F.dropout(x)],
    "use of a tensor that forward makes": [lambda x: F.conv2d(x, torch.ones(1, 4, 1, 1))],
    "joins a list": [lambda x: torch.cat(torch.chunk(x, 2, dim=1)[::-1], 1)],
    "cannot be copied": [nn.utils.weight_norm(nn.Conv2d(4, 4, 1))],
    "ParametrizedConv2d": [nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 1))],
}


def cases(table):
    return [
        pytest.param(key, function, id=f"{key}-{number}")
        for key, functions in table.items()
        for number, function in enumerate(functions)
    ]


def test_every_way_to_write_an_operation_is_in_the_table_of_cases():
    kinds = {form.kind for rows in (MODULES, FUNCTIONS, METHODS) for form in rows.values()}
    plain = {"silu", "hardswish", "hardsigmoid", "tanh", "sigmoid", "relu6"}
    assert kinds - plain <= UNDERSTOOD.keys()


def in_runtime(qnet, x):
    """Logits of a batch of another size than that it was exported with, by two witnesses."""
    program = read_program(qnet, images())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = to_onnx(program).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    array = x.numpy()
    return torch.from_numpy(session.run(None, {"images": array})[0]), logits(program, array)


def assert_computed(net):
    """Runtime and integer-only reference agree with the float network within 8-bit rounding."""
    x = images(6)
    qnet = calibrated(net, scheme(8, 8, symmetric=False), x)
    found, reference = in_runtime(qnet, x)
    with torch.no_grad():
        expected, simulated = net(x), qnet(x)
    assert found.shape == expected.shape
    largest = expected.abs().max()
    assert (found - expected).abs().max() <= 0.03 * largest
    assert (found - simulated).abs().max() <= 0.02 * largest
    assert abs(torch.from_numpy(reference) - found).max() <= 0.02 * largest


@pytest.mark.parametrize(("kind", "function"), cases(UNDERSTOOD))
def test_what_is_understood_is_computed(kind, function):
    net = Written(function).eval()
    if kind == "norm":
        function.running_mean.normal_()
        function.running_var.uniform_(0.5, 2)
    assert_computed(net)


@pytest.mark.parametrize("function", TOGETHER)
def test_what_joins_two_tensors_is_computed(function):
    assert_computed(Two(function).eval())


@pytest.mark.parametrize(("reason", "function"), cases(REFUSED))
def test_what_is_not_understood_is_refused_at_planning_by_its_line(reason, function):
    with pytest.raises(ValueError, match=rf"(?s){reason}|at test_written\.py.*{reason}") as error:
        make_plan(Written(function).eval(), scheme(), images())
    if "copied" not in reason:
        assert "test_written.py:" in str(error.value)
    if isinstance(error.value, TraceError):
        assert "dropout" in str(error.value) or "'function'" in str(error.value)
    else:
        assert isinstance(error.value, UnsupportedOperationError)
