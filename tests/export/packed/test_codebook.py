"""Levels that are not evenly spaced, and biases as integers, in the packed file."""

import pytest
import torch
from safetensors.torch import load_file

from qat.convert.calibrate import calibrate, set_phase
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.codebook import Codebook
from qat.core.scheme import Method, Rule, Scheme, TensorSpec
from qat.export.packed.network import PackedFileError, load_packed, save_packed, theoretical_bytes
from qat.export.packed.sizes import size_rows
from qat.layers.walk import twins
from qat.quantizers.minmax import MinMaxQuantizer

A8 = TensorSpec(bits=8)
CHANNEL4 = TensorSpec(bits=4, granularity="channel")


class FiveLevels(MinMaxQuantizer):
    """Five levels in proportion to the largest value of a slice."""

    def codebook(self):
        top = self.scale.reshape(-1, 1) * self.grid.qmax
        return Codebook(top * torch.tensor([[-1.0, -0.25, 0.0, 0.1, 1.0]]), self.layout)

    def quantize(self, x):
        return self.decode(self.encode(x))


def converted(net, scheme, images, slots=("weight_quantizer",), layers=("grouped", "head")):
    """Some quantizers of some layers replaced by ones of five levels."""
    qnet = quantize(net, make_plan(net, scheme, images))
    for name, twin in twins(qnet):
        for slot in slots if name in layers else ():
            old = getattr(twin, slot)
            setattr(twin, slot, FiveLevels(old.spec, old.layout))
    calibrate(qnet, [images])
    return qnet.eval()


class TestCodebooks:
    @pytest.mark.parametrize("granularity", ["tensor", "channel"])
    @pytest.mark.parametrize("placement", ["academic", "integer"])
    def test_read_back_it_gives_the_same_outputs_bit_for_bit(
        self, granularity, placement, integer_model, tiny_images, tmp_path
    ):
        weight = TensorSpec(bits=4, granularity=granularity)
        scheme = Scheme(weight, A8, placement=placement)
        qnet = converted(integer_model, scheme, tiny_images)
        save_packed(qnet, tmp_path / "it")
        restored = load_packed(tmp_path / "it", integer_model).eval()
        assert torch.equal(restored(tiny_images), qnet(tiny_images))
        # And once more, from what was read.
        save_packed(restored, tmp_path / "again")
        assert (tmp_path / "again").stat().st_size > 0
        again = load_packed(tmp_path / "again", integer_model).eval()
        assert torch.equal(again(tiny_images), qnet(tiny_images))

    def test_inputs_may_have_one_too(self, tiny_model, tiny_images, tmp_path):
        slots = ("weight_quantizer", "input_quantizer")
        qnet = converted(tiny_model, Scheme(CHANNEL4, A8), tiny_images, slots)
        save_packed(qnet, tmp_path / "it")
        restored = load_packed(tmp_path / "it", tiny_model).eval()
        assert torch.equal(restored(tiny_images), qnet(tiny_images))

    def test_five_levels_take_three_bits_and_a_table(self, tiny_model, tiny_images, tmp_path):
        qnet = converted(tiny_model, Scheme(CHANNEL4, A8), tiny_images)
        save_packed(qnet, tmp_path / "it")
        stored = load_file(tmp_path / "it")
        assert stored["grouped.weight"].numel() == 12 * 2 * 3 * 3 * 3 // 8
        assert stored["grouped.weight_quantizer.codebook"].shape == (12, 5)
        assert "grouped.weight_quantizer.scale" not in stored

    def test_a_damaged_table_is_refused(self, tiny_model, tiny_images, tmp_path):
        qnet = converted(tiny_model, Scheme(CHANNEL4, A8), tiny_images)
        save_packed(qnet, tmp_path / "it")
        data = (tmp_path / "it").read_bytes()
        table = qnet.grouped.weight_quantizer.codebook().values.numpy().tobytes()
        at = data.index(table)
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        (tmp_path / "it").write_bytes(changed)
        with pytest.raises(PackedFileError, match="digest differs"):
            load_packed(tmp_path / "it", tiny_model)


class TestIntegerBiases:
    @pytest.fixture
    def qnet(self, integer_model, tiny_images):
        rules = (
            Rule("depthwise", weight={"bits": 2}),
            Rule("grouped", weight={"bits": 7, "granularity": "tensor"}),
        )
        return converted(
            integer_model, Scheme(CHANNEL4, A8, rules=rules, placement="integer"), tiny_images, ()
        )

    def test_they_are_codes_of_the_product_of_scales(self, qnet, tmp_path):
        save_packed(qnet, tmp_path / "it")
        stored = load_file(tmp_path / "it")
        for name in ("stem", "depthwise", "grouped", "head"):
            twin = qnet.get_submodule(name)
            step = (
                twin.source[0].quantizer.scale.double()
                * twin.weight_quantizer.scale.reshape(-1).double()
            )
            codes = stored[f"{name}.bias"]
            assert codes.dtype == torch.int32
            # Half a step, and what float32 loses in the product of the scales.
            error = (codes * step - twin.bias.double()).abs() / step
            assert error.max() <= 0.5 + codes.abs().max() * 2**-23

    def test_read_back_it_gives_the_same_outputs_bit_for_bit(
        self, qnet, integer_model, tiny_images, tmp_path
    ):
        save_packed(qnet, tmp_path / "it")
        restored = load_packed(tmp_path / "it", integer_model).eval()
        assert torch.equal(restored(tiny_images), qnet(tiny_images))
        for (_, one), (_, other) in zip(twins(restored), twins(qnet), strict=True):
            assert torch.equal(one.quantized()[1], other.quantized()[1])

    def test_a_network_that_is_switched_off_is_saved_as_it_rounds(
        self, qnet, integer_model, tiny_images, tmp_path
    ):
        expected = qnet(tiny_images)
        set_phase(qnet, "off")
        save_packed(qnet, tmp_path / "it")
        assert torch.equal(
            load_packed(tmp_path / "it", integer_model).eval()(tiny_images), expected
        )

    def test_theoretical_bytes_by_hand(self, qnet):
        # Codes of 8, 2, 7 and 8 bits; the first and the last layer have 8.
        codes = 216 + 72 * 2 // 8 + 216 * 7 // 8 + 60
        scales = 4 * (8 + 8 + 1 + 5)
        biases = 4 * (8 + 8 + 12 + 5)
        tensors = 4 * len([t for t in qnet.meta["plan"].tensors.values() if t.shares is None])
        assert theoretical_bytes(qnet) == codes + scales + biases + tensors

    def test_batch_norm_that_is_not_folded_is_refused(self, integer_model, tiny_images, tmp_path):
        plan = make_plan(integer_model, Scheme(placement="integer"), tiny_images)
        qnet = quantize(integer_model, plan, keep_norms=True)
        calibrate(qnet, [tiny_images])
        with pytest.raises(ValueError, match="layer 'stem' is not folded: call fold_norms"):
            save_packed(qnet, tmp_path / "it")
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("scale", [torch.nan, torch.inf, 0.0, -1.0])
def test_a_scale_that_is_no_positive_number_is_refused(scale, integer_model, tiny_images, tmp_path):
    qnet = converted(integer_model, Scheme(CHANNEL4, A8), tiny_images, ())
    qnet.grouped.input_quantizer.scale.fill_(scale)
    with pytest.raises(ValueError, match=r"grouped \(act\) has a scale that is NaN, infinite or"):
        save_packed(qnet, tmp_path / "it")
    assert not list(tmp_path.iterdir())


SHARED = {
    "apot": (4, 15),
    "ternary": (2, 3),
    "binary": (1, 2),
    "sawb": (3, 8),
    "dorefa": (3, 8),
}
"""Method → bits, and number of levels, which are the same in all channels but for a scale."""


class TestSharedCodebooks:
    @pytest.fixture(params=SHARED)
    def made(self, request, tiny_model, tiny_images):
        """A calibrated network, and the number of its levels."""
        bits, levels = SHARED[request.param]
        method = Method(request.param)
        weight = TensorSpec(bits=bits, granularity="channel", quantizer=method)
        scheme = Scheme(weight, A8, first_last="same")
        qnet = quantize(tiny_model, make_plan(tiny_model, scheme, tiny_images))
        calibrate(qnet, [tiny_images])
        return qnet.eval(), levels

    def test_the_levels_are_stored_once_and_a_scale_for_each_channel(self, made, tmp_path):
        qnet, levels = made
        save_packed(qnet, tmp_path / "it")
        stored = load_file(tmp_path / "it")
        twin = qnet.grouped
        unit = stored["grouped.weight_quantizer.codebook"]
        scale = stored["grouped.weight_quantizer.codebook_scale"]
        assert (unit.shape, scale.shape) == ((levels,), (12,))
        assert torch.equal(scale[:, None] * unit, twin.weight_quantizer.codebook().values)
        codes = 12 * 2 * 3 * 3 * twin.weight_quantizer.code_range()[0] // 8
        assert stored["grouped.weight"].nbytes == codes
        rows = {row.name: row for row in size_rows(qnet, tmp_path / "it")}
        act, bias = 4, 4 * 12
        assert rows["grouped"].written_bytes == codes + 4 * (levels + 12) + act + bias
        assert sum(row.written_bytes for row in rows.values()) == (tmp_path / "it").stat().st_size

    def test_read_back_it_gives_the_same_outputs_bit_for_bit(
        self, made, tiny_model, tiny_images, tmp_path
    ):
        qnet, _ = made
        sizes = [save_packed(qnet, tmp_path / "it")]
        restored = load_packed(tmp_path / "it", tiny_model).eval()
        assert torch.equal(restored(tiny_images), qnet(tiny_images))
        for (_, one), (_, other) in zip(twins(restored), twins(qnet), strict=True):
            assert torch.equal(one.quantized()[0], other.quantized()[0])
        sizes.append(save_packed(restored, tmp_path / "again"))
        again = load_packed(tmp_path / "again", tiny_model).eval()
        assert torch.equal(again(tiny_images), qnet(tiny_images))
        assert sizes[0] - sizes[1] < 300  # only the names of methods are gone


def test_one_table_needs_no_scale(tiny_model, tiny_images, tmp_path):
    weight = TensorSpec(bits=4, quantizer=Method("apot"))
    plan = make_plan(tiny_model, Scheme(weight, A8, first_last="same"), tiny_images)
    qnet = quantize(tiny_model, plan)
    calibrate(qnet, [tiny_images])
    save_packed(qnet, tmp_path / "it")
    stored = load_file(tmp_path / "it")
    assert stored["grouped.weight_quantizer.codebook"].shape == (1, 15)
    assert "grouped.weight_quantizer.codebook_scale" not in stored


def test_standardized_levels_are_stored_as_they_are(tiny_model, tiny_images, tmp_path):
    method = Method("apot", options={"standardize": True})
    weight = TensorSpec(bits=4, granularity="channel", quantizer=method)
    plan = make_plan(tiny_model, Scheme(weight, A8, first_last="same"), tiny_images)
    qnet = quantize(tiny_model, plan)
    calibrate(qnet, [tiny_images])
    save_packed(qnet.eval(), tmp_path / "it")
    assert load_file(tmp_path / "it")["grouped.weight_quantizer.codebook"].shape == (12, 15)
    restored = load_packed(tmp_path / "it", tiny_model).eval()
    assert torch.equal(restored(tiny_images), qnet(tiny_images))
