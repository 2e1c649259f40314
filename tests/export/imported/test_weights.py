"""Weights of a file against those of the network: batch norm folded by numpy, codes by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from qat.cli.import_plan import _lines
from qat.export.imported.read import import_plan
from qat.export.imported.weights import StoredWeight, weight_remarks
from qat.export.onnx.network import export_onnx
from tests.export.imported_files import QdqWriter, images, small, small_qdq
from tests.export.integer_networks import Residual, calibrated, scheme
from tests.export.integer_networks import images as wide_images

FOLD = "the file has batch norm folded: add ptq=[fold]"
APART = "the file keeps batch norm apart: use scheme.placement=academic without ptq=[fold]"
OTHER = "give the float network that the file was made from: model.checkpoint=FILE"


class WithNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 5)

    def forward(self, x):
        return self.head(self.norm(self.stem(x)).relu().mean(dim=(2, 3)))


@pytest.fixture
def net():
    with torch.random.fork_rng():
        torch.manual_seed(2)
        net = WithNorm().eval()
        net.norm.weight.data.uniform_(0.5, 2)
        net.norm.running_var.uniform_(0.3, 3)
    return net


def folded(net):
    norm = net.norm
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return (net.stem.weight * factor.reshape(-1, 1, 1, 1)).detach().numpy()


def written(path, stem, head, transposed=False):
    """A QDQ graph with 8-bit codes of two weights."""
    w = QdqWriter()

    def weight(name, values, axis=0):
        scale = np.abs(values).reshape(len(values), -1).max(1) / 127
        codes = np.round(values / scale.reshape(-1, *[1] * (values.ndim - 1))).astype(np.int64)
        return w.weight(name, codes.T if axis else codes, scale, axis=axis)

    x = w.rounded("images", 0.03, 120)
    y = w.node("Conv", [x, weight("stem.weight", stem)], "y", "stem/Conv", pads=[1] * 4)
    y = w.rounded(w.node("Relu", [y], "r"), 0.02, 0)
    axes = w.constant("axes", np.array([2, 3], np.int64))
    m = w.rounded(w.node("ReduceMean", [y, axes], "m", keepdims=0), 0.025, 64)
    head = weight("head.weight", head, axis=int(transposed))
    gemm = ("MatMul", {}) if transposed else ("Gemm", {"transB": 1})
    logits = w.node(gemm[0], [m, head], "logits", "head/Gemm", **gemm[1])
    path.write_bytes(w.model(w.rounded(logits, 0.06, 128)).SerializeToString())
    return path


@pytest.mark.parametrize("transposed", [False, True])
def test_weights_of_the_network_cause_no_remark(tmp_path, net, transposed):
    head = net.head.weight.detach().numpy()
    plain = written(tmp_path / "a.onnx", net.stem.weight.detach().numpy(), head, transposed)
    assert import_plan(plain, net, images()).remarks == ()
    fold = written(tmp_path / "b.onnx", folded(net), head, transposed)
    assert import_plan(fold, net, images(), "integer").remarks == ()
    assert import_plan(fold, net, images(), folds=True).remarks == ()


def test_batch_norm_that_only_one_side_has_folded_is_said_with_the_cure(tmp_path, net):
    head = net.head.weight.detach().numpy()
    start = "weights of 1 of 2 layers differ from those of the file (stem): "
    fold = written(tmp_path / "a.onnx", folded(net), head)
    assert import_plan(fold, net, images()).remarks == (start + FOLD,)
    plain = written(tmp_path / "b.onnx", net.stem.weight.detach().numpy(), head)
    assert import_plan(plain, net, images(), "integer").remarks == (start + APART,)
    held = import_plan(plain, net, images(), folds=True)
    assert held.remarks == (start + APART,)
    assert f"warning: {start}{APART}" in _lines(held, tmp_path / "it.json", [])


def test_weights_of_another_training_ask_for_the_checkpoint(tmp_path, net):
    file = written(tmp_path / "a.onnx", folded(net)[::-1], -net.head.weight.detach().numpy())
    assert import_plan(file, net, images()).remarks == (
        f"weights of 2 of 2 layers differ from those of the file (stem, head): {OTHER}",
    )


def test_files_of_the_other_tests_have_the_weights_of_their_network(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(small_qdq().SerializeToString())
    for placement in ("academic", "integer"):
        assert import_plan(path, small(), images(), placement).remarks == ()


def test_a_file_of_our_own_is_compared_too(tmp_path):
    net = Residual().eval()
    export_onnx(calibrated(net, scheme(3, 8)), tmp_path / "net.onnx", wide_images())
    assert import_plan(tmp_path / "net.onnx", net, wide_images()).remarks == ()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(-1)
    (remark,) = import_plan(tmp_path / "net.onnx", net, wide_images()).remarks
    assert remark.endswith(OTHER)


def test_a_direction_of_rounding_that_a_method_chose_is_no_difference():
    net = nn.Sequential(nn.Linear(3, 2, bias=False))
    step = 0.1
    low = (net[0].weight.detach() / step).floor() * step
    for values in (low, low + step):
        stored = {"0": StoredWeight(values.numpy(), (step,))}
        assert weight_remarks(stored, net, torch.zeros(1, 3), folds=False) == ()
    stored = {"0": StoredWeight((low + 3 * step).numpy()[:, ::-1], (step,))}
    assert len(weight_remarks(stored, net, torch.zeros(1, 3), folds=False)) == 1
