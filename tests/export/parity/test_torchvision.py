"""Networks of torchvision, random weights: simulation and onnxruntime compute the same integers.

Top-1 agreement says nothing on random networks, so that logits are held by their ratio to the
difference, and every layer by steps from the same input codes. That ratio is 30 dB, or what the
simulation has to itself after one code of its input moved by one step, if that is less.
"""

import pytest
import torch
import torchvision
from torch import nn

import qat
from qat.data.load import load_data
from qat.data.request import DataRequest
from qat.export.onnx.network import export_onnx
from qat.export.parity.gate import ParityThresholds, compare_logits
from qat.export.parity.network import check_parity
from qat.export.runtimes.registry import make_runtime

SIZE = 128
SQNR_DB = 30
OWN_SQNR_MARGIN_DB = 3
"""A deep random network makes much of little: see :func:`own_sqnr_db`."""
THRESHOLDS = ParityThresholds(
    top1_agreement=None, within_one_step=None, max_steps=None, sqnr_db=None, layer_steps=1
)


def some_images(count, size):
    """Photographs are not at hand: the embedded grey ones, enlarged and tinted."""
    data = load_data(DataRequest("fashion_mini"))
    grey = data.train.images[:count].float() / 255
    grey = grey.reshape(count, 1, *grey.shape[-2:]) if grey.ndim == 3 else grey
    large = nn.functional.interpolate(grey[:, :1], size=(size, size), mode="bilinear")
    tint = torch.rand(count, 3, 1, 1, generator=torch.Generator().manual_seed(0)) + 0.5
    return (large * tint - 0.4) / 0.5


def with_statistics(net, images):
    """Batch norm as after a training: means and variances of these images."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    with torch.no_grad():
        net.train()(images)
    return net.eval()


def own_sqnr_db(exported, images, simulated):
    """The simulation against itself, one code of each image moved by one step.

    No runtime in which a single code differs can be closer than this.
    """
    moved = images.clone()
    moved[:, 0, SIZE // 2, SIZE // 2] += float(exported.program.formats["input"].scale)
    with torch.no_grad():
        found = torch.cat([exported.qnet(part) for part in moved.split(16)])
    return compare_logits(simulated.numpy(), found.numpy(), exported.logit_scale).sqnr_db


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "googlenet", "densenet121"])
def test_runtime_and_simulation_agree_on_random_torchvision_networks(name, tmp_path):
    torch.manual_seed(0)
    options = {"aux_logits": False, "init_weights": True} if name == "googlenet" else {}
    images = some_images(48, SIZE)
    net = with_statistics(getattr(torchvision.models, name)(**options), images)
    plan = qat.make_plan(net, qat.Scheme(placement="integer"), images[:8])
    qnet = qat.quantize(net, plan).eval()
    qat.calibrate(qnet, images.split(16))
    exported = export_onnx(qnet, tmp_path / "network.onnx", images[:2])
    batches = [(part, torch.zeros(len(part))) for part in images.split(16)]
    with torch.no_grad():
        simulated = torch.cat([qnet(part) for part, _ in batches])
    found = check_parity(
        exported,
        make_runtime("onnxruntime"),
        batches,
        simulated,
        THRESHOLDS,
        threads=2,
        layer_images=8,
        reference_images=0,
    )
    assert found.verdict.passed, found.verdict.reason
    assert len(found.layers) > 20
    own = own_sqnr_db(exported, images, simulated)
    least = min(SQNR_DB, own - OWN_SQNR_MARGIN_DB)
    for how, rows in found.logits.items():
        print(f"{name}, {how}: {rows.sqnr_db:.1f} dB; one input code moved: {own:.1f} dB")
        assert rows.sqnr_db >= least, how
