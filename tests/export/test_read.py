"""An integer network as plain data: every number here is counted by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate, set_phase
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.codebook import Codebook
from qat.core.plan import Plan
from qat.core.scheme import Scheme
from qat.export.errors import ExportError
from qat.export.program import Format
from qat.export.read import read_with_names
from qat.graph.operations import UnsupportedOperationError
from qat.layers.walk import quantizers
from qat.quantizers.tabled import TabledQuantizer
from tests.export.integer_networks import (
    Counted,
    Residual,
    calibrated,
    images,
    read_program,
    scheme,
    set_ranges,
)

IMAGE = torch.tensor([[[[-1.0, 0.5], [1.0, 0.25]]]])
RANGES = {
    "input.tensor": (-1.27, 1.27),  # signed 8 bits: steps of 0.01
    "conv.tensor": (0, 3),  # unsigned 4 bits: steps of 0.2
    "mean.tensor": (0, 1.5),  # steps of 0.1
    "head.tensor": (-0.7, 0.7),  # signed 4 bits: steps of 0.1
    "conv.weight": (torch.tensor([-0.5, -1.0]), torch.tensor([0.5, 1.0])),
    "head.weight": (torch.tensor([-1.0, -0.75]), torch.tensor([1.0, 0.75])),
}


@pytest.fixture
def counted():
    asked = scheme(4, 4, rules=())
    net = Counted().eval()
    plan = make_plan(net, asked, IMAGE)
    tensors = dict(plan.tensors)
    tensors["input"] = replaced(tensors["input"], bits=8)
    tensors["head"] = replaced(tensors["head"], signed=True)
    qnet = quantize(net, Plan(plan.layers, (), "integer", tensors))
    set_ranges(qnet, RANGES)
    return qnet


def replaced(tensor, **changes):
    return type(tensor)(tensor.name, tensor.kind, tensor.spec.but(**changes), tensor.shares)


def test_steps_are_the_operations_in_their_order(counted):
    program = read_program(counted, IMAGE)
    assert [(step.name, step.kind, step.inputs) for step in program.steps] == [
        ("input", "quantize", ("input",)),
        ("conv", "conv", ("input",)),
        ("mean", "global_avg_pool", ("conv",)),
        ("head", "linear", ("mean",)),
    ]
    assert program.output == "head"
    assert (program.input_shape, program.output_shape) == ((1, 2, 2), (2,))
    assert [step.name for step in program.layers()] == ["conv", "head"]


def test_formats_are_the_quantizers_own_in_unsigned_codes(counted):
    formats = read_program(counted, IMAGE).formats
    by_hand = {  # scale, zero point, qmin, qmax; signed codes lie 128 higher
        "input": (0.01, 128, 0, 255),
        "conv": (0.2, 0, 0, 15),
        "mean": (0.1, 0, 0, 15),
        "head": (0.1, 128, 120, 135),
    }
    assert formats.keys() == by_hand.keys()
    for name, (scale, *codes) in by_hand.items():
        found = formats[name]
        assert found.scale == pytest.approx(scale)
        assert [found.zero_point, found.qmin, found.qmax] == codes


def test_weights_are_integers_of_their_own_step_per_channel(counted):
    conv, head = read_program(counted, IMAGE).layers()
    assert conv.weight.scale == pytest.approx(np.array([0.5, 1.0]) / 7)
    assert conv.weight.codes.tolist() == [[[[7]]], [[[-7]]]]
    # 0.25 / (1/7) = 1.75 and -0.5 / (0.75/7) = -4.67
    assert head.weight.codes.tolist() == [[7, 2], [-5, 7]]
    assert (head.weight.bits, head.weight.signed) == (4, True)
    assert head.weight.zero_point.tolist() == [0, 0]
    assert head.weight.values()[0, 1] == pytest.approx(2 / 7)


def test_biases_have_steps_of_input_times_weight(counted):
    conv, head = read_program(counted, IMAGE).layers()
    # 0.1 / (0.01 * 0.5 / 7) = 140 and -0.2 / (0.01 * 1 / 7) = -140
    assert conv.bias.tolist() == [140, -140]
    assert conv.bias.dtype == np.int32
    assert head.bias.tolist() == [0, 0]


def test_a_rectifier_is_a_bound_on_codes():
    class Bounded(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.sum = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)
            self.clip = nn.ReLU6()

        def forward(self, x):
            x = self.clip(self.conv(x))
            return (x + self.sum(x)).relu()

    asked = scheme(8, 8, symmetric=False)
    qnet = calibrated(Bounded(), asked)
    ranges = {"input": (-1, 1.55), "conv": (-1, 9.2), "sum": (-1, 1.55), "add": (-2.55, 2.55)}
    for tensor in qnet.tensors.children():
        tensor.quantizer.set_range(*ranges[tensor.plan.name])
    steps = {step.name: step for step in read_program(qnet, images()).steps}
    # Steps of 0.04: zero is code 25, six is code 25 + 150.
    assert (steps["conv"].low, steps["conv"].high) == (25, 175)
    assert (steps["sum"].low, steps["sum"].high) == (0, 255)
    # Steps of 0.02, zero point round(127.5) = 128.
    assert (steps["add"].low, steps["add"].high) == (128, 255)


def test_what_moves_codes_keeps_their_format():
    class Moving(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool = nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)
            self.head = nn.Linear(30, 5)

        def forward(self, x):
            x = torch.cat([self.pool(x), nn.functional.pad(x[:, :, ::2, 3:], (0, 0, 1, 0))], 2)
            return self.head(x.permute(0, 2, 1, 3)[:, 1:3].flatten(1))

    program = read_program(calibrated(Moving()), images())
    attributes = {step.name: dict(step.attributes) for step in program.steps}
    whole = (0, 3, 1)
    assert attributes == {
        "input": {},
        "pool": {
            "kernel": (3, 3),
            "stride": (2, 2),
            "padding": ((1, 2), (1, 2)),  # one more behind, for ceil_mode
            "dilation": (1, 1),
        },
        "slice": {"ranges": (whole, (0, 8, 2), (3, 8, 1))},
        "pad": {"widths": ((0, 0), (0, 0), (1, 0), (0, 0))},
        "concat": {"axis": 2},
        "permute": {"dims": (0, 2, 1, 3)},
        "slice:2": {"ranges": ((1, 3, 1),)},
        "flatten": {"shape": (30,)},
        "head": {},
    }
    names = [n for n in program.formats if n != "head"]
    assert len({id(program.formats[name]) for name in names}) == 1


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize(
    ("convolution", "by_hand"),
    [
        (nn.Conv2d(3, 6, 3, stride=(1, 2), groups=3), ((1, 2), ((0, 0), (0, 0)), (1, 1), 3)),
        (nn.Conv2d(3, 6, 3, padding=(1, 2)), ((1, 1), ((1, 1), (2, 2)), (1, 1), 1)),
        (nn.Conv2d(3, 6, 3, padding="valid"), ((1, 1), ((0, 0), (0, 0)), (1, 1), 1)),
        # "same" of an even kernel pads one more behind.
        (nn.Conv2d(3, 6, (4, 3), padding="same"), ((1, 1), ((1, 2), (1, 1)), (1, 1), 1)),
        (
            nn.Conv2d(3, 6, 3, dilation=(1, 2), padding="same"),
            ((1, 1), ((1, 1), (2, 2)), (1, 2), 1),
        ),
    ],
)
def test_attributes_of_convolutions(convolution, by_hand):
    program = read_program(calibrated(nn.Sequential(convolution)), images())
    stride, padding, dilation, groups = by_hand
    assert program.steps[1].attributes == {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }


@pytest.mark.parametrize(
    ("pool", "kind", "kernel"),
    [
        (nn.AdaptiveAvgPool2d(1), "global_avg_pool", None),
        (nn.AdaptiveAvgPool2d((4, 2)), "avg_pool", (2, 4)),
        (nn.AvgPool2d(3, 2), "avg_pool", (3, 3)),
    ],
)
def test_pools(pool, kind, kernel):
    program = read_program(calibrated(nn.Sequential(nn.Conv2d(3, 4, 1), pool)), images())
    assert program.steps[-1].kind == kind
    if kernel:
        assert program.steps[-1].attributes["kernel"] == kernel


@pytest.mark.parametrize(
    ("pool", "ends", "include"),
    [
        (nn.AvgPool2d(3, 2), (0, 0), False),  # without padding there is none to count
        (nn.AvgPool2d(3, 2, ceil_mode=True), (0, 1), False),
        (nn.AvgPool2d(2, 2, ceil_mode=True), (0, 0), False),  # no window reaches beyond
        (nn.AvgPool2d(1, 3, ceil_mode=True), (0, 0), False),  # torch drops the one that does
        (nn.AvgPool2d(3, 2, 1), (1, 1), True),
        (nn.AvgPool2d(3, 2, 1, count_include_pad=False), (1, 0), False),  # the rest is unused
        (nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), (1, 2), False),
        (nn.AvgPool2d(2, 2, 1, ceil_mode=True), (1, 1), True),
        (nn.MaxPool2d((1, 3), (3, 2), ceil_mode=True), ((0, 0), (0, 1)), None),
        (nn.MaxPool2d((2, 2), (2, 3), (0, 1), ceil_mode=True), ((0, 0), (1, 0)), None),
    ],
)
def test_padding_makes_just_the_windows_there_are(pool, ends, include):
    program = read_program(calibrated(nn.Sequential(nn.Conv2d(3, 4, 1), pool)), images())
    found = program.steps[-1].attributes
    assert found["padding"] == (ends if isinstance(ends[0], tuple) else (ends, ends))
    assert found.get("count_include_pad") == include


def test_a_pool_that_changes_nothing_rounds_again():
    net = nn.Sequential(nn.AdaptiveAvgPool2d(8), nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d((8, 8)))
    program = read_program(calibrated(net), images())
    kinds = [(step.kind, step.inputs) for step in program.steps]
    assert kinds[1][0] == kinds[3][0] == "quantize"
    assert kinds[3][1] == (program.steps[2].output,)


def test_the_plan_goes_with_the_program():
    qnet = calibrated(Residual())
    program = read_program(qnet, images())
    assert Plan.from_dict(program.plan).tensors.keys() == {
        *("input", "conv", "second", "add", "mean", "head"),
    }


def test_each_quantizer_is_known_by_the_tensor_it_stores():
    qnet = calibrated(Residual())
    program, stored = read_with_names(qnet, images())
    assert list(stored.values()) == ["input", "conv", "second", "add", "mean", "head"]
    assert set(stored.values()) == {step.output for step in program.steps}
    assert all(node.op == "call_module" for node in stored)


def test_codes_round_half_to_even_and_saturate():
    form = Format(np.float32(0.5), 10, 8, 20)
    codes = form.encode(np.array([0.25, 0.75, -0.25, 100, -100], np.float32))
    assert codes.tolist() == [10, 12, 10, 20, 8]
    assert form.decode(np.array([10, 12, 8])).tolist() == [0, 1, -1]


# Refusals ---------------------------------------------------------------------------------------


def test_another_placement_is_refused():
    x = images()
    net = Residual().eval()
    qnet = quantize(net, make_plan(net, Scheme(), x))
    calibrate(qnet, [x])
    with pytest.raises(ExportError, match=r"only networks with placement=integer .*packed file"):
        read_program(qnet, x)
    with pytest.raises(ExportError, match="only networks with placement=integer"):
        read_program(net, x)


def test_an_uncalibrated_network_is_refused():
    net = Residual().eval()
    qnet = quantize(net, make_plan(net, scheme(), images()))
    with pytest.raises(ExportError, match=r"conv \(weight\) is not calibrated: calibrate before"):
        read_program(qnet, images())
    assert not any(q.calibrated for _, _, q in quantizers(qnet))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0, -1.0])
@pytest.mark.parametrize(
    ("slot", "named"), [("tensors.add", "add"), ("second", r"second \(weight\)")]
)
def test_a_scale_that_is_no_size_is_refused(slot, named, bad):
    qnet = calibrated(Residual())
    module = qnet.get_submodule(slot)
    quantizer = module.quantizer if slot.startswith("tensors") else module.weight_quantizer
    quantizer.scale.fill_(bad)
    with pytest.raises(ExportError, match=f"{named} has a scale that is NaN, infinite or not"):
        read_program(qnet, images())


def test_levels_that_are_not_evenly_spaced_are_refused_by_name():
    qnet = calibrated(Residual())
    book = Codebook(torch.tensor([[-1.0, -0.25, 0.25, 1.0]]))
    qnet.conv.weight_quantizer = TabledQuantizer(qnet.conv.plan.weight, book)
    with pytest.raises(ExportError, match=r"conv \(weight\) is .* TabledQuantizer, .*packed file"):
        read_program(qnet, images())


def test_batch_norm_that_is_not_folded_is_refused():
    net = Residual().eval()
    qnet = quantize(net, make_plan(net, scheme(), images()), keep_norms=True)
    calibrate(qnet, [images()])
    with pytest.raises(ExportError, match="layer 'conv' is not folded: call fold_norms"):
        read_program(qnet, images())


def test_a_network_that_is_switched_off_is_refused():
    qnet = calibrated(Residual())
    set_phase(qnet, "off")
    with pytest.raises(ExportError, match=r"not quantizing: call set_phase\(net, 'quantize'\)"):
        read_program(qnet, images())


def test_a_network_that_gives_two_tensors_is_refused():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)

        def forward(self, x):
            return self.first(x), self.second(x)

    with pytest.raises(ExportError, match="is not one tensor of logits: wrap"):
        read_program(calibrated(Both()), images())


class Variant(nn.Module):
    """A function between convolutions."""

    def __init__(self, function):
        super().__init__()
        self.conv, self.function = nn.Conv2d(3, 4, 1), function

    def forward(self, x):
        return self.function(self.conv(x))


VARIANTS = {
    "cuts \\(8, 8\\) into \\(3, 3\\) windows of unequal size": nn.AdaptiveAvgPool2d(3),
    "has ceil_mode and count_include_pad": nn.AvgPool2d(3, 2, 1, ceil_mode=True),
    "has divisor_override=3": nn.AvgPool2d(2, divisor_override=3),
    "is not over height and width": lambda x: x.mean(dim=1),
    "moves images into another axis": lambda x: x.reshape(-1, 8),
    "indexes by something other than numbers and slices": lambda x: x[:, [0, 1]],
    "selects images": lambda x: x[1:],
    "has value=1.0": lambda x: nn.functional.pad(x, (1, 1), value=1.0),
    "crops by a negative pad": lambda x: nn.functional.pad(x, (-1, 0)),
    "has padding_mode=circular": nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"),
    "has an input of 4 axes, not flattened": nn.Linear(8, 5),
}


def test_a_tensor_that_forward_makes_is_named_with_its_line():
    """The error names the tensor itself, not the operation that reads it."""
    net = Variant(lambda x: x[:, torch.arange(2)])
    message = r"the use of a tensor that forward makes at test_read\.py:\d+ .*no integer form"
    with pytest.raises(UnsupportedOperationError, match=message):
        make_plan(net.eval(), scheme(), images())


@pytest.mark.parametrize("reason", VARIANTS)
def test_variants_without_an_integer_form_are_named_with_their_line(reason):
    net = Variant(VARIANTS[reason])
    message = rf"at test_read\.py:\d+ {reason}.*no integer form"
    with pytest.raises(UnsupportedOperationError, match=message):
        make_plan(net.eval(), scheme(), images())
