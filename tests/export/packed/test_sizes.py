"""Sizes side by side: sums by hand, and a real network of several widths."""

from dataclasses import astuple

import pytest
import torch

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.network_tensors import own_state
from qat.core.scheme import Rule, Scheme, TensorSpec
from qat.export.packed.network import PackedFileError, save_packed, theoretical_bytes
from qat.export.packed.sizes import SizeRow, size_rows, zero_point_bytes
from qat.models.build import build_model

A8 = TensorSpec(bits=8)
CHANNEL4 = TensorSpec(bits=4, granularity="channel")


def converted(net, scheme, images):
    qnet = quantize(net, make_plan(net, scheme, images))
    calibrate(qnet, [images])
    return qnet.eval()


def by_name(rows):
    return {(row.name, row.kind): row for row in rows}


def total_of(rows):
    sums = [sum(column) for column in zip(*(astuple(row)[3:] for row in rows), strict=True)]
    return SizeRow("total", "network", 0, *sums)


def test_a_layer_by_hand(tiny_model, tiny_images, tmp_path):
    qnet = converted(tiny_model, Scheme(CHANNEL4, A8), tiny_images)
    save_packed(qnet, tmp_path / "it")
    row = by_name(size_rows(qnet, tmp_path / "it"))["grouped", "Conv2d"]
    # 12 x 2 x 3 x 3 codes of 4 bits, 12 + 1 scales, 12 biases.
    stored = 216 * 4 // 8 + 4 * 13 + 4 * 12
    # In memory: float weights and biases; scales, zero points, smallest and largest value seen
    # alike; two flags of a byte.
    simulated = 4 * 216 + 4 * 12 + 4 * 4 * 13 + 2
    assert row == SizeRow("grouped", "Conv2d", 4, simulated, stored, stored)


@pytest.mark.parametrize(
    ("weight", "act", "count"),
    [(True, True, 0), (False, True, 12), (True, False, 1), (False, False, 13)],
)
def test_zero_points_by_hand(tmp_path, weight, act, count):
    net, images = torch.nn.Sequential(torch.nn.Conv2d(4, 12, 3)).eval(), torch.randn(2, 4, 8, 8)
    scheme = Scheme(CHANNEL4.but(symmetric=weight), A8.but(symmetric=act), first_last="same")
    save_packed(converted(net, scheme, images), tmp_path / "it")
    assert zero_point_bytes(tmp_path / "it") == 4 * count  # int32: 12 channels and one input


def test_a_module_left_float_by_hand(tiny_model, tiny_images, tmp_path):
    qnet = converted(tiny_model, Scheme(), tiny_images)
    save_packed(qnet, tmp_path / "it")
    row = by_name(size_rows(qnet, tmp_path / "it"))["norm", "BatchNorm2d"]
    size = 4 * 4 * 8 + 8  # weight, bias, mean, variance; a counter of 8 bytes
    assert row == SizeRow("norm", "BatchNorm2d", 32, size, size, size)


def test_a_tensor_between_layers_stores_its_scale(integer_model, tiny_images, tmp_path):
    qnet = converted(integer_model, Scheme(CHANNEL4, A8, placement="integer"), tiny_images)
    save_packed(qnet, tmp_path / "it")
    rows = by_name(size_rows(qnet, tmp_path / "it"))
    assert rows["input", "tensor"].written_bytes == 4
    assert rows["stem", "tensor"].written_bytes == 4
    # 8 x 3 x 3 x 3 codes of 8 bits, 8 scales, 8 biases as int32.
    assert rows["stem", "Conv2d"].written_bytes == 216 + 4 * 8 + 4 * 8


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_totals_are_those_of_the_whole(placement, integer_model, tiny_images, tmp_path):
    qnet = converted(integer_model, Scheme(CHANNEL4, A8, placement=placement), tiny_images)
    size = save_packed(qnet, tmp_path / "it")
    rows = size_rows(qnet, tmp_path / "it")
    total = total_of(rows)
    assert total.written_bytes == size
    assert total.theoretical_bytes == theoretical_bytes(qnet)
    assert total.simulated_bytes == sum(
        t.numel() * t.element_size() for t in own_state(qnet).values()
    )
    assert len(by_name(rows)) == len(rows)
    assert rows[-1].kind == "header"
    assert rows[-1].written_bytes > 0


def test_a_file_of_another_network_is_refused(integer_model, tiny_images, tmp_path):
    save_packed(converted(integer_model, Scheme(), tiny_images), tmp_path / "it")
    other = converted(integer_model, Scheme(placement="integer"), tiny_images)
    with pytest.raises(PackedFileError, match="belongs to another network: keys differ"):
        size_rows(other, tmp_path / "it")


MIXED = (
    Rule("layer1*", weight={"bits": 3}),
    Rule("layer2*", weight={"bits": 2}),
    Rule("layer3*", weight={"bits": 5}),
)


@pytest.mark.parametrize("placement", ["academic", "integer"])
@pytest.mark.parametrize(
    ("bits", "rules"),
    [(8, ()), (4, ()), (2, ()), pytest.param(6, MIXED, id="mixed")],
)
def test_a_residual_network_is_no_larger_than_its_codes_and_a_header(
    bits, rules, placement, tmp_path
):
    net = build_model("builtin", "resnet20", classes=10, in_channels=3, image_size=32).eval()
    weight = TensorSpec(bits=bits, granularity="channel")
    scheme = Scheme(weight, A8, rules=rules, placement=placement)
    qnet = converted(net, scheme, torch.randn(2, 3, 32, 32))
    size = save_packed(qnet, tmp_path / "it")
    total = total_of(size_rows(qnet, tmp_path / "it"))
    assert total.written_bytes == size
    assert size <= 1.02 * total.theoretical_bytes + 16 * 1024
    assert total.theoretical_bytes < total.simulated_bytes * (bits + 1.5) / 32
