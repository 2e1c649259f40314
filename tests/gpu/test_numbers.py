"""A GPU computes the numbers of the CPU: equal ones where nothing is summed, else close ones."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.data.augment import Augment
from qat.data.batches import Batches
from qat.data.bundle import DataBundle
from qat.data.in_memory import ImageSet
from qat.data.preprocess import Preprocess
from qat.quantizers.registry import make_quantizer
from qat.training.evaluate import evaluate, predict_logits
from tests.gpu.conftest import SHAPE, calibrated, float_net, images_and_labels, no_waiting

VALUES = Preprocess(mean=(0.49, 0.48, 0.45), std=(0.25, 0.24, 0.26))


def image_set(count=20):
    generator = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (count, *SHAPE), dtype=torch.uint8, generator=generator)
    return ImageSet(images, torch.arange(count) % 10)


def training_batches(images, preprocess=VALUES):
    return Batches(images, 8, preprocess, Augment(pad=2), shuffle=True, seed=5, epoch=2)


def test_a_gpu_gets_the_same_crops_and_flips(device):
    pixels = Preprocess(mean=(0.0,) * 3, std=(1 / 255,) * 3)
    on_cpu = list(training_batches(image_set(), pixels))
    there = list(training_batches(image_set().to(device), pixels))
    assert len(there) == 3
    for (images, labels), (expected, expected_labels) in zip(there, on_cpu, strict=True):
        assert images.device.type == labels.device.type == device.type
        assert torch.equal(images.cpu().round(), expected.round())
        assert torch.equal(labels.cpu(), expected_labels)


def test_normalisation_is_close(device):
    images, _ = next(iter(training_batches(image_set().to(device))))
    torch.testing.assert_close(images.cpu(), next(iter(training_batches(image_set())))[0])


def test_batches_wait_for_nothing(device, as_on_a_gpu):
    batches = training_batches(image_set().to(device))
    list(batches)  # the first epoch copies constants and allocates memory
    with no_waiting(device):
        there = list(batches.at_epoch(3))
    assert [images.device.type for images, _ in there] == [device.type] * len(batches)


def test_a_bundle_moves_as_a_whole(device):
    parts = {name: image_set() for name in ("train", "val", "test", "calibration")}
    moved = DataBundle("it", classes=10, preprocess=VALUES, digest="", **parts).to(device)
    assert moved.parts.keys() == parts.keys()
    for part in moved.parts.values():
        assert part.images.device.type == part.labels.device.type == device.type
        assert part.digest() == image_set().digest()


def test_the_float_network_is_close(device):
    images, _ = images_and_labels()
    net = float_net().eval()
    expected = net(images)
    torch.testing.assert_close(
        net.to(device)(images.to(device)).cpu(), expected, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("method", ["lsq", "minmax"])
@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_the_quantized_network_is_close(device, method, placement):
    """A value in the middle of two codes may get the other one, so not every logit is close."""
    net, images = calibrated(method, placement, bits=8)
    net.eval()
    with torch.no_grad():
        expected = net(images)
        actual = net.to(device)(images.to(device)).cpu()
    difference = (actual - expected).abs()
    assert difference.median() < 1e-5
    assert difference.max() < 0.05 * expected.abs().max()


SPECS = [
    pytest.param({"signed": True}, {"axis": 1, "channels": 3}, id="per channel"),
    pytest.param({"signed": True}, {}, id="per tensor"),
    pytest.param({"signed": False, "symmetric": False}, {}, id="asymmetric"),
]


@pytest.mark.parametrize(("settings", "layout"), SPECS)
@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_codes_are_equal(device, settings, layout, bits):
    x = 3 * torch.randn(64, 3, 7, 7, generator=torch.Generator().manual_seed(bits))
    quantizer = make_quantizer(TensorSpec(bits=bits, **settings), Layout(**layout)).eval()
    scales = quantizer.qparams().scale
    quantizer.set_qparams(torch.linspace(0.011, 0.5, len(scales)), torch.zeros_like(scales))
    codes, values = quantizer.encode(x), quantizer(x)
    quantizer.to(device)
    assert torch.equal(quantizer.encode(x.to(device)).cpu(), codes)
    assert torch.equal(quantizer(x.to(device)).cpu(), values)


def test_learned_steps_give_equal_values(device):
    x = 3 * torch.randn(64, 3, 7, 7, generator=torch.Generator().manual_seed(1))
    spec = TensorSpec(bits=4, signed=True, quantizer=Method("lsq"))
    quantizer = make_quantizer(spec, Layout())
    quantizer.set_qparams(torch.tensor([0.37]), torch.zeros(1))
    expected = quantizer(x)
    assert torch.equal(quantizer.to(device)(x.to(device)).cpu(), expected)


def test_an_evaluation_is_close_and_waits_only_at_its_end(device, as_on_a_gpu):
    images, labels = images_and_labels(64)
    net = float_net()
    expected = evaluate(net, [(images, labels)])
    parts = images.split(16), labels.split(16)
    batches = [(i.to(device), n.to(device)) for i, n in zip(*parts, strict=True)]
    evaluate(net, batches, device)

    def watched():
        for batch in batches:
            with no_waiting(device):
                yield batch

    assert evaluate(net, watched(), device) == pytest.approx(expected, rel=1e-4)
    logits = predict_logits(net, watched(), device)
    assert (logits.device.type, len(logits)) == ("cpu", 64)


def test_a_broken_batch_is_named_at_the_end(device, as_on_a_gpu):
    images, labels = (each.to(device) for each in images_and_labels(32))
    net = float_net()
    images[20] = torch.nan
    with pytest.raises(ValueError, match="images of batch 2 hold NaN"):
        evaluate(net, zip(images.split(8), labels.split(8), strict=True), device)
    images[20] = 0
    net[-1].weight.data.fill_(torch.inf)
    with pytest.raises(ValueError, match="logits of batch 0 hold NaN"):
        predict_logits(net, zip(images.split(8), labels.split(8), strict=True), device)
