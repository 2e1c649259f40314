"""Files of older versions give the networks from which they were written."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import Method, TensorSpec
from qat.export.packed.file import PackedFileError, fold, unfold
from qat.export.packed.network import load_packed, save_packed
from qat.export.packed.versions import VERSION, migrated, version_of
from qat.layers.walk import quantizers, twins

FILES = Path(__file__).parent / "files"
PLACEMENTS = ["academic", "integer"]


@pytest.fixture
def expected():
    return load_file(FILES / "version1_expected.safetensors")


def used(qnet):
    """All numbers the network computes with, in the order the fixture was written in."""
    tensors = [tensor for _, twin in twins(qnet) for tensor in twin.quantized()]
    for _, _, quantizer in quantizers(qnet):
        qparams = quantizer.qparams()
        tensors += [qparams.scale, qparams.zero_point]
    return torch.cat([tensor.detach().float().reshape(-1) for tensor in tensors])


@pytest.mark.parametrize("placement", PLACEMENTS)
class TestVersion1:
    def test_its_numbers_are_those_of_the_time_bit_for_bit(self, placement, tiny_model, expected):
        qnet = load_packed(FILES / f"version1_{placement}.safetensors", tiny_model)
        assert torch.equal(used(qnet), expected[f"{placement}.used"])

    def test_its_outputs_are_those_of_the_time(self, placement, tiny_model, expected):
        qnet = load_packed(FILES / f"version1_{placement}.safetensors", tiny_model).eval()
        outputs = qnet(expected["images"])
        # Sums in float32 may be taken in another order on another processor.
        torch.testing.assert_close(outputs, expected[f"{placement}.outputs"], rtol=1e-5, atol=1e-6)

    def test_written_anew_it_is_of_the_present_version(
        self, placement, tiny_model, expected, tmp_path
    ):
        old = load_packed(FILES / f"version1_{placement}.safetensors", tiny_model)
        save_packed(old, tmp_path / "it")
        new = load_packed(tmp_path / "it", tiny_model)
        assert torch.equal(used(new), used(old))
        assert torch.equal(new.eval()(expected["images"]), old.eval()(expected["images"]))


def test_shapes_of_version_1_become_a_layout():
    old = {"version": "1", "plan": "p", "shapes": fold({"fc.weight": [2, 3]})}
    tensors, metadata = migrated(Path("it"), {"fc.weight": 0}, old)
    assert tensors == {"fc.weight": 0}
    assert metadata.keys() == {"version", "plan", "layout"}
    layout = {"fc.weight": {"form": "affine", "shape": [2, 3]}}
    assert unfold(Path("it"), metadata, "layout") == layout


def test_the_present_version_is_not_changed_and_others_are_refused():
    present = {"version": str(VERSION), "layout": "any"}
    assert migrated(Path("it"), {}, present) == ({}, present)
    with pytest.raises(PackedFileError, match=r"it has format version 5.*a newer qat"):
        migrated(Path("it"), {}, {"version": "5"})
    with pytest.raises(PackedFileError, match=r"it has format version '1.0'.*write it again"):
        migrated(Path("it"), {}, {"version": "1.0"})
    with pytest.raises(PackedFileError, match=r"damaged metadata \(shapes\)"):
        migrated(Path("it"), {}, {"version": "1", "shapes": fold([1])})


def test_a_file_has_the_oldest_version_that_can_hold_it():
    usual, mx = TensorSpec(bits=4), TensorSpec(format="mxfp4_e2m1")
    binary = TensorSpec(bits=1, quantizer=Method("binary"))
    for weight, act, version in (
        (usual, usual, 2),
        (usual, mx, 3),
        (mx, usual, 3),
        (binary, usual, 3),
    ):
        assert version_of(Plan({"fc": LayerPlan("fc", "Linear", weight, act)})) == version
    shared = ["fc.weight", "fc.weight_quantizer.codebook_scale"]
    assert version_of(Plan({}), shared[:1]) == 2
    assert version_of(Plan({}), shared) == 4
    off = mx.but(format="float")
    assert version_of(Plan({"fc": LayerPlan("fc", "Linear", off, usual)})) == 2


@pytest.mark.parametrize("name", ["version2_apot", "version3_binary"])
def test_codebooks_with_every_level_of_every_channel_are_read(name, tiny_model, tmp_path):
    expected, method = load_file(FILES / "codebooks_expected.safetensors"), name.split("_")[1]
    qnet = load_packed(FILES / f"{name}.safetensors", tiny_model).eval()
    weights = [t.detach().reshape(-1) for _, twin in twins(qnet) for t in twin.quantized()]
    assert torch.equal(torch.cat(weights), expected[f"{method}.used"])
    outputs = qnet(expected["images"])
    torch.testing.assert_close(outputs, expected[f"{method}.outputs"], rtol=1e-5, atol=1e-6)
    save_packed(qnet, tmp_path / "it")
    again = load_packed(tmp_path / "it", tiny_model).eval()
    assert torch.equal(again(expected["images"]), outputs)
