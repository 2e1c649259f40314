"""The packed file: its bytes, and that it gives the same network back."""

import base64
import json
import struct
import zlib

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.export.packed import file as packed_file
from qat.export.packed.network import PackedFileError, load_packed, save_packed, theoretical_bytes
from qat.layers.walk import quantizers
from qat.models.build import build_model

LSQ, DYNAMIC = Method("lsq"), Method("dynamic")
A8 = TensorSpec(bits=8)
SCHEMES = [
    *(
        pytest.param(Scheme(TensorSpec(bits=bits), A8, first_last="same"), id=f"{bits} bits")
        for bits in range(2, 9)
    ),
    pytest.param(Scheme(TensorSpec(bits=16), TensorSpec(bits=16), first_last="same"), id="16 bits"),
    pytest.param(Scheme(TensorSpec(bits=3, granularity="channel"), A8), id="channel"),
    pytest.param(
        Scheme(TensorSpec(bits=4, granularity="group", group_size=4, quantizer=LSQ), A8), id="group"
    ),
    pytest.param(
        Scheme(TensorSpec(bits=5, symmetric=False), TensorSpec(bits=6, symmetric=False)), id="asym"
    ),
    pytest.param(
        Scheme(TensorSpec(bits=4, scale="power_of_two"), TensorSpec(scale="power_of_two")),
        id="pow2",
    ),
    pytest.param(Scheme(TensorSpec(bits=4, narrow=True), A8.but(narrow=True)), id="narrow"),
    pytest.param(Scheme(first_last="fp16"), id="fp16 ends"),
    pytest.param(Scheme(first_last="float", quantize_output=True), id="float ends"),
    pytest.param(Scheme(TensorSpec(bits=4), TensorSpec(bits=32)), id="weights only"),
    pytest.param(Scheme(TensorSpec(bits=32), A8), id="activations only"),
    pytest.param(
        Scheme(act=TensorSpec(signed=False, symmetric=False, quantizer=DYNAMIC)), id="dynamic"
    ),
    pytest.param(
        Scheme(
            TensorSpec(bits=2, granularity="channel", quantizer=Method("dorefa")),
            TensorSpec(bits=4, symmetric=False, quantizer=Method("lsq_plus")),
        ),
        id="levels without zero, learned offset",
    ),
    pytest.param(
        Scheme(
            TensorSpec(bits=4, scale="power_of_two", quantizer=Method("tqt")),
            TensorSpec(bits=4, quantizer=Method("pact")),
        ),
        id="learned thresholds and clips",
    ),
]


def converted(net, scheme, images):
    qnet = quantize(net, make_plan(net, scheme, images))
    calibrate(qnet, [images])
    return qnet.eval()


@pytest.fixture
def qnet(tiny_model, tiny_images):
    return converted(tiny_model, Scheme(TensorSpec(bits=4), A8), tiny_images)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_read_back_it_gives_the_same_outputs_bit_for_bit(scheme, tiny_model, tiny_images, tmp_path):
    qnet = converted(tiny_model, scheme, tiny_images)
    size = save_packed(qnet, tmp_path / "it.safetensors")
    assert size == (tmp_path / "it.safetensors").stat().st_size
    restored = load_packed(tmp_path / "it.safetensors", tiny_model)
    assert torch.equal(restored.eval()(tiny_images), qnet(tiny_images))


def test_only_the_architecture_of_the_float_network_is_used(
    qnet, tiny_model, tiny_images, tmp_path
):
    save_packed(qnet, tmp_path / "it")
    expected = qnet(tiny_images)
    for parameter in tiny_model.parameters():
        parameter.data.zero_()
    assert torch.equal(load_packed(tmp_path / "it", tiny_model).eval()(tiny_images), expected)


def test_half_precision_is_stored_as_such(tiny_model, tiny_images, tmp_path):
    save_packed(converted(tiny_model, Scheme(first_last="fp16"), tiny_images), tmp_path / "it")
    stored = load_file(tmp_path / "it")
    assert stored["stem.weight"].dtype == stored["head.weight"].dtype == torch.float16
    assert stored["stem.weight"].tolist() == tiny_model.stem.weight.half().tolist()


def test_ranges_of_a_file_do_not_follow_training(qnet, tiny_model, tiny_images, tmp_path):
    save_packed(qnet, tmp_path / "it")
    restored = load_packed(tmp_path / "it", tiny_model)
    restored.train()(10 * tiny_images)
    for (*place, before), (*_, after) in zip(quantizers(qnet), quantizers(restored), strict=True):
        assert torch.equal(before.qparams().scale, after.qparams().scale), place


def test_tensors_that_share_memory_are_written(tiny_model, tiny_images, tmp_path):
    tiny_model.register_buffer("part", tiny_model.norm.running_mean[:2])
    qnet = converted(tiny_model, Scheme(), tiny_images)
    save_packed(qnet, tmp_path / "it")
    assert torch.equal(load_file(tmp_path / "it")["part"], qnet.norm.running_mean[:2])


def test_who_reads_an_older_file_is_not_disturbed(qnet, tmp_path):
    save_packed(qnet, tmp_path / "it")
    before = (tmp_path / "it").read_bytes()
    with (tmp_path / "it").open("rb") as reader:
        qnet.head.bias.data.add_(1.0)
        save_packed(qnet, tmp_path / "it")
        assert reader.read() == before
    assert (tmp_path / "it").read_bytes() != before


def test_a_layer_used_in_two_places_is_stored_once(tiny_images, tmp_path):
    shared = nn.Conv2d(3, 3, 1)
    net = nn.Sequential(shared, nn.ReLU(), shared, nn.Flatten(), nn.Linear(192, 2)).eval()
    qnet = converted(net, Scheme(TensorSpec(bits=4), A8), tiny_images)
    save_packed(qnet, tmp_path / "it")
    keys = load_file(tmp_path / "it").keys()
    assert {key.split(".")[0] for key in keys} == {"0", "4"}
    assert torch.equal(load_packed(tmp_path / "it", net)(tiny_images), qnet(tiny_images))


def test_weights_in_channels_last_order_are_written_too(tiny_model, tiny_images, tmp_path):
    net = tiny_model.to(memory_format=torch.channels_last)
    qnet = converted(net, Scheme(TensorSpec(bits=32), A8), tiny_images)
    save_packed(qnet, tmp_path / "it")
    restored = load_packed(tmp_path / "it", net)
    assert torch.equal(restored(tiny_images), qnet(tiny_images))


def test_codes_take_their_bits_rounded_up_to_bytes(qnet, tmp_path):
    save_packed(qnet, tmp_path / "it")
    with safe_open(tmp_path / "it", framework="pt") as file:
        assert file.metadata()["version"] == "2"
        sizes = {key: file.get_tensor(key).numel() for key in file.keys()}  # noqa: SIM118
    # 8 x 3 x 3 x 3 codes of 8 bits; 8 x 1 x 3 x 3 and 12 x 2 x 3 x 3 codes of 4.
    assert sizes["stem.weight"] == 216
    assert sizes["depthwise.weight"] == 36
    assert sizes["grouped.weight"] == 108
    assert sizes["head.weight"] == 60


def test_theoretical_bytes_by_hand(qnet):
    codes = 216 + 36 + 108 + 60
    scales = 4 * (4 + 4)  # one a weight, one an input
    biases = 4 * (8 + 8 + 12 + 5)
    norm = 4 * 4 * 8 + 8  # weight, bias, mean, variance; a counter of 8 bytes
    assert theoretical_bytes(qnet) == codes + scales + biases + norm


@pytest.mark.parametrize("bits", [4, 8])
def test_a_residual_network_is_no_larger_than_its_codes_and_a_header(bits, tmp_path):
    net = build_model("builtin", "resnet20", classes=10, in_channels=3, image_size=32).eval()
    scheme = Scheme(TensorSpec(bits=bits, granularity="channel"), A8)
    qnet = converted(net, scheme, torch.randn(2, 3, 32, 32))
    assert save_packed(qnet, tmp_path / "it") <= 1.02 * theoretical_bytes(qnet) + 16 * 1024


def rewritten(path, change, sign=True):
    """The file with changed metadata and a new digest."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    change(header["__metadata__"])
    if sign and header["__metadata__"]:
        header["__metadata__"]["sha256"] = packed_file.digest_of(
            load_file(path), header["__metadata__"]
        )
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


class TestDamage:
    @pytest.fixture
    def path(self, qnet, tmp_path):
        save_packed(qnet, tmp_path / "it")
        return tmp_path / "it"

    @pytest.mark.parametrize("keep", [0, 4, 100, 0.5, -1])
    def test_a_truncated_file_is_refused(self, path, tiny_model, keep):
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
        with pytest.raises(PackedFileError, match=r"is damaged .*write it again"):
            load_packed(path, tiny_model)

    @pytest.mark.parametrize("key", ["plan", "layout"])
    @pytest.mark.parametrize("value", ["", "????", "AAAA"])
    def test_damaged_metadata_are_refused(self, path, tiny_model, key, value):
        rewritten(path, lambda metadata: metadata.update({key: value}))
        with pytest.raises(PackedFileError, match="damaged metadata"):
            load_packed(path, tiny_model)

    @pytest.mark.parametrize("plan", [3, [], {}, {"version": 1, "layers": 3}])
    def test_a_forged_plan_is_refused(self, path, tiny_model, plan):
        text = base64.b64encode(zlib.compress(json.dumps(plan).encode())).decode()
        rewritten(path, lambda metadata: metadata.update(plan=text))
        with pytest.raises(PackedFileError):
            load_packed(path, tiny_model)

    @pytest.mark.parametrize("place", [0.3, 0.6, 0.9, -1])
    def test_one_flipped_bit_is_noticed(self, path, tiny_model, place):
        data = bytearray(path.read_bytes())
        (length,) = struct.unpack("<Q", data[:8])
        start = 8 + length
        at = len(data) - 1 if place == -1 else start + int(place * (len(data) - start))
        data[at] ^= 1
        path.write_bytes(data)
        with pytest.raises(PackedFileError, match=r"digest differs\): write it again"):
            load_packed(path, tiny_model)

    def test_metadata_changed_by_hand_are_noticed(self, path, tiny_model):
        rewritten(path, lambda metadata: metadata.update(note="better"), sign=False)
        with pytest.raises(PackedFileError, match=r"digest differs\): write it again"):
            load_packed(path, tiny_model)

    def test_a_newer_version_is_refused_with_the_way_out(self, path, tiny_model):
        rewritten(path, lambda metadata: metadata.update(version="5"))
        with pytest.raises(PackedFileError, match=r"version 5, this program reads 1 to 4: .*newer"):
            load_packed(path, tiny_model)

    @pytest.mark.parametrize("version", ["", "0", "-1", "two", "²"])
    def test_a_version_that_never_was_is_refused(self, path, tiny_model, version):
        rewritten(path, lambda metadata: metadata.update(version=version))
        with pytest.raises(PackedFileError, match="this program reads 1 to 4: write it again"):
            load_packed(path, tiny_model)

    def test_a_version_changed_by_hand_is_noticed(self, path, tiny_model):
        rewritten(path, lambda metadata: metadata.update(version="5"), sign=False)
        with pytest.raises(PackedFileError, match="digest differs"):
            load_packed(path, tiny_model)

    @pytest.mark.parametrize("content", [b"PK\x03\x04" * 40, b"a text, a long one\n" * 9])
    def test_a_foreign_file_is_refused(self, path, tiny_model, content):
        path.write_bytes(content)
        with pytest.raises(PackedFileError, match="not a packed file"):
            load_packed(path, tiny_model)

    def test_a_folder_is_refused(self, tmp_path, tiny_model):
        with pytest.raises(PackedFileError, match="not a packed file"):
            load_packed(tmp_path, tiny_model)

    @pytest.mark.parametrize(
        "entry",
        [
            pytest.param({"form": "affine", "shape": [8, 3, 3, 1]}, id="shape"),
            pytest.param({"form": "codebook", "shape": [8, 3, 3, 3]}, id="form"),
            pytest.param({"form": "int32", "shape": [8, 3, 3, 3]}, id="bias"),
            pytest.param({}, id="empty"),
            pytest.param(3, id="number"),
        ],
    )
    def test_a_forged_layout_is_refused(self, path, tiny_model, entry):
        text = packed_file.fold({"stem.weight": entry})
        rewritten(path, lambda metadata: metadata.update(layout=text))
        with pytest.raises(PackedFileError, match="belongs to another network: layer 'stem' needs"):
            load_packed(path, tiny_model)

    def test_a_bias_forged_into_codes_is_refused(self, path, tiny_model):
        text = packed_file.fold({"stem.bias": {"form": "int32", "shape": [8]}})
        rewritten(path, lambda metadata: metadata.update(layout=text))
        with pytest.raises(PackedFileError, match="'stem' has no integer bias"):
            load_packed(path, tiny_model)

    def test_another_kind_of_file_is_refused(self, path, tiny_model):
        rewritten(path, lambda metadata: metadata.clear())
        with pytest.raises(PackedFileError, match="not a packed file: its format is not qatlab"):
            load_packed(path, tiny_model)

    def test_another_network_is_refused_with_what_differs(self, path, tiny_model):
        tiny_model.stem = nn.Sequential(tiny_model.stem)
        with pytest.raises(PackedFileError, match=r"belongs to another network: .*stem"):
            load_packed(path, tiny_model)

    def test_a_network_with_more_layers_is_refused(self, path, tiny_model):
        tiny_model.extra = nn.Linear(2, 2)
        with pytest.raises(PackedFileError, match=r"keys differ: extra\.bias, extra\.weight"):
            load_packed(path, tiny_model)

    def test_a_missing_file_is_named(self, tmp_path, tiny_model):
        with pytest.raises(PackedFileError, match="nowhere does not exist: write it"):
            load_packed(tmp_path / "nowhere", tiny_model)


def test_a_write_that_fails_leaves_the_older_file_whole(qnet, tmp_path, monkeypatch):
    save_packed(qnet, tmp_path / "it")
    before = (tmp_path / "it").read_bytes()

    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packed_file, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        save_packed(qnet, tmp_path / "it")
    assert [p.name for p in tmp_path.iterdir()] == ["it"]
    assert (tmp_path / "it").read_bytes() == before


def test_an_uncalibrated_network_is_refused_by_layer(tiny_model, tiny_images, tmp_path):
    qnet = quantize(tiny_model, make_plan(tiny_model, Scheme(), tiny_images))
    with pytest.raises(ValueError, match=r"\w+ \(\w+\) is not calibrated"):
        save_packed(qnet, tmp_path / "it")
    assert not list(tmp_path.iterdir())


def test_weights_that_are_nan_are_refused(qnet, tmp_path):
    qnet.stem.weight.data[0] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        save_packed(qnet, tmp_path / "it")


def test_no_code_comes_out_of_a_file(tiny_model, tiny_images, tmp_path):
    """A method of the user's is not imported when its file is read: only numbers are."""
    target = Method("user", "qat.quantizers.minmax:MinMaxQuantizer")
    qnet = converted(tiny_model, Scheme(TensorSpec(quantizer=target), A8), tiny_images)
    save_packed(qnet, tmp_path / "it")
    restored = load_packed(tmp_path / "it", tiny_model)
    assert restored.stem.plan.weight.quantizer == Method("minmax")
    assert torch.equal(restored.eval()(tiny_images), qnet(tiny_images))
