"""Low-bit floats, blocks and codes of 1 bit in the packed file."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.formats import LOW_BIT_FORMATS
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.export.errors import ExportError
from qat.export.onnx.network import export_onnx
from qat.export.packed.content import exponents_key, packed_content
from qat.export.packed.file import write_file
from qat.export.packed.network import PackedFileError, load_packed, save_packed, theoretical_bytes
from qat.export.packed.sizes import size_rows
from qat.export.packed.weights import PackedWeights
from qat.layers.walk import twins

BINARY = TensorSpec(bits=1, quantizer=Method("binary"), granularity="channel")
SIGN = TensorSpec(bits=1, quantizer=Method("sign"))
TERNARY = TensorSpec(bits=2, quantizer=Method("ternary"), granularity="channel")
CASES = {
    **{
        name: (TensorSpec(format=name, granularity="channel"), TensorSpec(format=name))
        for name in LOW_BIT_FORMATS
    },
    "w1a1": (BINARY, SIGN),
    "w1": (BINARY, TensorSpec(bits=32)),
    "ternary": (TERNARY, TensorSpec(bits=4)),
}


def calibrated(name, model, images):
    scheme = Scheme(*CASES[name], first_last="same")
    qnet = quantize(model, make_plan(model, scheme, images))
    calibrate(qnet, [images])
    return qnet.eval()


@pytest.mark.parametrize("name", CASES)
class TestEachFormat:
    def test_read_back_it_gives_the_same_outputs_bit_for_bit(
        self, name, tiny_model, tiny_images, tmp_path
    ):
        qnet = calibrated(name, tiny_model, tiny_images)
        assert not torch.equal(qnet(tiny_images), tiny_model(tiny_images))
        save_packed(qnet, tmp_path / "it")
        restored = load_packed(tmp_path / "it", tiny_model).eval()
        assert torch.equal(restored(tiny_images), qnet(tiny_images))
        save_packed(restored, tmp_path / "again")
        again = load_packed(tmp_path / "again", tiny_model).eval()
        assert torch.equal(again(tiny_images), qnet(tiny_images))

    def test_bytes_are_those_of_codes_and_scales(self, name, tiny_model, tiny_images, tmp_path):
        qnet = calibrated(name, tiny_model, tiny_images)
        save_packed(qnet, tmp_path / "it")
        stored = load_file(tmp_path / "it")
        weight_spec, _ = CASES[name]
        for layer, twin in twins(qnet):
            count, slices = twin.weight.numel(), twin.weight.shape[0]
            assert stored[f"{layer}.weight"].nbytes == -(-count * weight_spec.stored_bits // 8)
            if weight_spec.is_block:
                blocks = count // twin.weight.shape[1] * -(-twin.weight.shape[1] // 32)
                assert stored[exponents_key(f"{layer}.weight")].nbytes == blocks
                assert not any(key.startswith(f"{layer}.input_quantizer") for key in stored)
            elif weight_spec.format != "int":
                assert stored[f"{layer}.weight_quantizer.scale"].shape == (slices,)
                assert f"{layer}.weight_quantizer.codebook" not in stored
        assert theoretical_bytes(qnet) == sum(tensor.nbytes for tensor in stored.values())
        rows = {row.name: row for row in size_rows(qnet, tmp_path / "it")}
        first = next(iter(dict(twins(qnet))))
        assert rows[first].bits == weight_spec.stored_bits

    def test_weights_are_unpacked_one_by_one(self, name, tiny_model, tiny_images, tmp_path):
        qnet = calibrated(name, tiny_model, tiny_images)
        save_packed(qnet, tmp_path / "it")
        restored = load_packed(tmp_path / "it", tiny_model).eval()
        layers = dict(twins(restored))
        weights = PackedWeights(tmp_path / "it", layers)
        for layer, twin in layers.items():
            buffer = torch.zeros(twin.weight.numel())
            weights.unpack(layer, buffer)
            assert torch.equal(buffer, twin.weight.detach().flatten())


def test_fp8_weights_are_the_bytes_of_torch(tiny_model, tiny_images):
    qnet = calibrated("fp8_e4m3", tiny_model, tiny_images)
    tensors, layout = packed_content(qnet)
    layer, twin = next(iter(twins(qnet)))
    scale = twin.weight.detach().flatten(1).abs().amax(dim=1) / 448
    rows = twin.weight.detach().flatten(1) / scale[:, None]
    expected = rows.to(torch.float8_e4m3fn).view(torch.uint8)
    assert np.array_equal(tensors[f"{layer}.weight"].numpy(), expected.flatten().numpy())
    assert layout[f"{layer}.weight"]["form"] == "float"


def test_blocks_without_their_scales_are_refused(tiny_model, tiny_images, tmp_path):
    qnet = calibrated("mxint8", tiny_model, tiny_images)
    tensors, layout = packed_content(qnet)
    layer = next(iter(dict(twins(qnet))))
    del tensors[exponents_key(f"{layer}.weight")]
    plan = make_plan(tiny_model, Scheme(*CASES["mxint8"], first_last="same"), tiny_images)
    write_file(tmp_path / "it", tensors, {"plan": plan.to_dict(), "layout": layout}, 3)
    with pytest.raises(PackedFileError, match="needs scales of blocks of shape"):
        load_packed(tmp_path / "it", tiny_model)


def test_an_integer_file_is_refused_by_layer_and_format(tiny_model, tiny_images, tmp_path):
    qnet = calibrated("mxfp4_e2m1", tiny_model, tiny_images)
    with pytest.raises(ExportError, match=r"weight format mxfp4_e2m1.*scheme\.weight\.format=int"):
        export_onnx(qnet, tmp_path / "net.onnx", tiny_images)
