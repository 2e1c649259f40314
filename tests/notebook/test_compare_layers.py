"""``qat.compare_layers`` on networks of one's own: figures by hand, and those of a run."""

import math

import pytest
import torch

import qat as library
from qat.notebook.compare_layers import compare_layers
from qat.notebook.layers import layers
from qat.run.stages.analyse import LAYER_IMAGES
from tests.command_line import TINY


@pytest.fixture
def networks(tiny_model, tiny_images):
    scheme = library.Scheme(weight=library.TensorSpec(bits=4), act=library.TensorSpec(bits=6))
    qnet = library.quantize(tiny_model, library.make_plan(tiny_model, scheme, tiny_images))
    library.calibrate(qnet, [tiny_images])
    return tiny_model, qnet, tiny_images


def test_sqnr_clipping_and_codes_of_a_weight_by_hand(networks):
    net, qnet, images = networks
    frame = compare_layers(net, qnet, images).set_index(["name", "slot"])
    row = frame.loc["grouped", "weight"]
    weight = net.grouped.weight.detach().double()
    scale = weight.abs().max() / 7  # 4 bits, symmetric, one scale for the tensor
    codes = (weight / scale).round().clamp(-8, 7)
    noise = (codes * scale - weight).square().sum()
    assert row.sqnr_db == pytest.approx(10 * math.log10(weight.square().sum() / noise), abs=1e-3)
    assert row.used_codes == codes.unique().numel() / 16
    assert row.clipped == 0
    assert row.bits == 4


def test_a_narrower_range_is_seen_as_clipping(networks):
    net, qnet, images = networks
    before = compare_layers(net, qnet, images).set_index(["name", "slot"])
    after = compare_layers(net, qnet, 3 * images).set_index(["name", "slot"])
    assert before.loc["stem", "act"].clipped == 0
    beyond = (3 * images).abs() > images.abs().max() * (1 + 0.6 / 127)  # of the first layer, 8 bits
    assert after.loc["stem", "act"].clipped == pytest.approx(beyond.float().mean().item(), abs=0.01)


def test_several_batches_with_labels_are_one_batch(networks):
    net, qnet, images = networks
    whole = compare_layers(net, qnet, images)
    pairs = ((images[i : i + 4], torch.zeros(4)) for i in range(0, len(images), 4))
    parts = compare_layers(net, qnet, pairs)
    assert parts.name.tolist() == whole.name.tolist()
    assert parts.sqnr_db.tolist() == pytest.approx(whole.sqnr_db.tolist(), rel=1e-4)
    with pytest.raises(ValueError, match="no images"):
        compare_layers(net, qnet, [])


def test_an_integer_network_is_compared_with_folded_layers(integer_model, tiny_images):
    scheme = library.Scheme(placement="integer")
    plan = library.make_plan(integer_model, scheme, tiny_images)
    qnet = library.quantize(integer_model, plan, tiny_images)
    library.calibrate(qnet, [tiny_images])
    frame = compare_layers(integer_model, qnet, tiny_images)
    assert frame[(frame.name == "stem") & (frame.slot == "output")].sqnr_db.item() > 25
    assert "tensor" in set(frame.slot)


def test_the_rows_of_a_run_are_those_of_its_networks(finished):
    from qat.run.float_network import float_network

    folder, _ = finished(*TINY, "mode=static")
    run = library.load_run(folder)
    images = next(iter(run.prepared.images.first_test_images(LAYER_IMAGES, LAYER_IMAGES)))
    net = float_network(run.prepared).net
    stored, computed = layers(folder), compare_layers(net, run.qnet, images)
    assert computed[["name", "slot"]].equals(stored[["name", "slot"]])
    read = computed.slot != "weight"  # a packed file has rounded weights alone, which lose nothing
    assert computed[read].sqnr_db.tolist() == pytest.approx(stored[read].sqnr_db.tolist(), rel=1e-3)
