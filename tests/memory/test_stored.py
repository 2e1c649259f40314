"""Which tensors are codes: of each placement, on networks that can be looked through."""

from dataclasses import replace

import pytest
import torch
from torch import nn

import qat
from qat.core.scheme import Method
from qat.graph.trace import trace
from qat.memory.codec import PackedCodes
from qat.memory.execute import ArenaExecutor
from qat.memory.read import read_memory
from qat.memory.stored import StoredTensors
from qat.memory.strategies import SCHEDULED, plan_memory


class Net(nn.Module):
    """A residual block whose block input is read by an add as well, a pool and a linear layer."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.one = nn.Conv2d(4, 4, 3, padding=1)
        self.two = nn.Conv2d(4, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(4)
        self.fc = nn.Linear(16, 3)

    def forward(self, x):
        x = self.norm(self.first(x)).relu()
        y = self.two(self.one(x).relu()) + x
        return self.fc(self.pool(y.relu()).flatten(1))


IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def quantized(norm=None, **changes):
    torch.manual_seed(0)
    net = Net().eval()
    net.norm = norm or net.norm
    scheme = replace(qat.Scheme(), **changes)
    scheme = replace(scheme, act=scheme.act.but(bits=4))
    qnet = qat.quantize(net, qat.make_plan(net, scheme, IMAGES), IMAGES)
    qat.calibrate(qnet, [IMAGES])
    return qnet.eval()


def read(qnet):
    graph = qnet if isinstance(qnet, torch.fx.GraphModule) else trace(qnet)
    stored = StoredTensors(graph)
    traced = read_memory(graph, IMAGES.shape, chains=stored.chains(), device="cpu")
    owners = [n for n, t in traced.graph.tensors.items() if not t.is_view]
    return traced, stored.codings(owners)


def test_integer_everything_is_codes():
    traced, codings = read(quantized(placement="integer"))
    bits = {name: coding.bits for name, coding in codings.items()}
    # Image, what the linear layer reads and what it gives have 8 bits (first and last layer).
    assert bits == {
        "tensors_input": 8,
        "tensors_first": 4,
        "tensors_one": 4,
        "tensors_two": 4,
        "tensors_add": 8,
        "pool": 8,
        "tensors_fc": 8,
    }
    assert traced.graph.operations["tensors_add"].nodes == ("add", "relu_2", "tensors_add")
    assert traced.graph.operations["tensors_input"].nodes == ("x", "tensors_input")


def test_academic_only_what_quantized_layers_alone_read_is_codes():
    traced, codings = read(quantized())
    bits = {name: coding.bits for name, coding in codings.items()}
    # The first block's output is read by an add too, and the add's operands are no codes; what the
    # pool passes on is read by the linear layer alone.
    assert bits == {"x": 8, "relu_1": 4, "relu_2": 8, "pool": 8}
    assert traced.graph.operations["relu"].nodes == ("first", "norm", "relu")


def test_the_identity_that_folding_leaves_changes_no_stored_tensor():
    with_norm, folded = read(quantized()), read(quantized(norm=nn.Identity()))
    stored = [
        {n: t.shape for n, t in each.graph.tensors.items()} for each, _ in (with_norm, folded)
    ]
    assert stored[0] == stored[1]
    assert {n: c.bits for n, c in folded[1].items()} == {n: c.bits for n, c in with_norm[1].items()}


def test_ranges_of_inference_are_known_too_late():
    qnet = quantized(act=qat.Scheme().act.but(quantizer=Method("dynamic"), symmetric=False))
    assert read(qnet)[1] == {}


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_a_run_on_codes_is_equal_bit_for_bit(placement):
    qnet = quantized(placement=placement)
    traced, codings = read(qnet)
    bits = {name: coding.bits for name, coding in codings.items()}
    plan = plan_memory(traced.graph, replace(SCHEDULED, widths=True), bits)
    result = ArenaExecutor(traced, plan, PackedCodes(plan.graph, codings)).run(IMAGES)
    with torch.no_grad():
        assert torch.equal(result.output, qnet(IMAGES))


def test_a_sum_is_written_over_an_operand_of_its_width():
    traced, codings = read(quantized(placement="integer", first_last="same"))
    bits = {name: coding.bits for name, coding in codings.items()}
    assert set(bits.values()) == {4}
    plan = plan_memory(traced.graph, replace(SCHEDULED, widths=True), bits)
    members = next(b.members for b in plan.blocks if "tensors_add" in b.members)
    assert members[0] in ("tensors_first", "tensors_two")
