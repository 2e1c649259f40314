"""Encodings of AIMET of our own networks, and the way back."""

import json

import pytest
import torch

from qat.convert.calibrate import calibrate
from qat.convert.held import hold_ranges
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.export.encodings import aimet_encodings, save_encodings
from qat.export.errors import ExportError
from qat.export.imported.read import import_plan
from qat.layers.walk import quantizers
from tests.export.imported_files import images, small

WIDE = TensorSpec(bits=8, granularity="channel")
SCHEMES = [
    Scheme(weight=WIDE, first_last="same"),
    Scheme(weight=WIDE, act=TensorSpec(bits=4, symmetric=False), first_last="same"),
    Scheme(weight=TensorSpec(bits=3), act=TensorSpec(bits=16), first_last="same"),
    Scheme(weight=WIDE.but(symmetric=False, signed=False), first_last=8),
    Scheme(weight=WIDE.but(narrow=True), placement="integer"),
    Scheme(act=TensorSpec(bits=6, symmetric=False), placement="integer", first_last="same"),
]


def calibrated(scheme):
    net = small()
    qnet = quantize(net, make_plan(net, scheme, images()))
    calibrate(qnet, [images()])
    return qnet.eval()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_round_trip_keeps_formats_ranges_and_outputs(tmp_path, scheme):
    qnet = calibrated(scheme)
    save_encodings(qnet, tmp_path / "net.encodings")
    held = import_plan(tmp_path / "net.encodings", small(), images(), scheme.placement)
    assert (held.open, held.unused) == ((), ())
    again = quantize(small(), held.plan).eval()
    assert hold_ranges(again, held) == []
    own = {(name, slot): q for name, slot, q in quantizers(qnet)}
    for name, slot, new in quantizers(again):
        old = own.pop((name, slot))
        assert (new.grid, new.layout) == (old.grid, old.layout), name
        assert new.spec.symmetric == old.spec.symmetric
        assert torch.equal(new.qparams().scale, old.qparams().scale)
        assert torch.equal(new.qparams().zero_point, old.qparams().zero_point)
    assert not own
    with torch.no_grad():
        assert torch.equal(again(images()), qnet(images()))


def test_numbers_by_hand():
    """Weight 0.5 and -1.0 with 8 bits: scale 1/127, codes -128..127, as AIMET counts them."""
    net = torch.nn.Sequential(torch.nn.Linear(2, 1)).eval()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[0.5, -1.0]]))
    x = torch.tensor([[0.0, 2.55]])
    qnet = quantize(net, make_plan(net, Scheme(act=TensorSpec(symmetric=False)), x))
    calibrate(qnet, [x])
    data = aimet_encodings(qnet)
    (weight,) = data["param_encodings"]["0.weight"]
    assert (weight["bitwidth"], weight["offset"], weight["is_symmetric"]) == (8, -128, "True")
    assert weight["scale"] == pytest.approx(1 / 127)
    assert weight["max"] == pytest.approx(1.0)
    act = data["activation_encodings"]["0"]["input"]["0"]
    assert act["scale"] == pytest.approx(0.01)
    assert (act["offset"], act["min"]) == (0, 0)
    assert act["max"] == pytest.approx(2.55)


def test_the_file_is_json(tmp_path):
    size = save_encodings(calibrated(SCHEMES[0]), tmp_path / "net.encodings")
    content = (tmp_path / "net.encodings").read_bytes()
    assert len(content) == size
    assert json.loads(content)["version"] == "0.6.1"


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        (Scheme(weight=WIDE.but(granularity="group", group_size=1)), "scales of groups"),
        (Scheme(act=TensorSpec(granularity="channel"), first_last="same"), "of input channels"),
        (
            Scheme(
                weight=TensorSpec(bits=4, quantizer=Method("apot")),
                first_last="same",
            ),
            "other values than scale times code",
        ),
        (
            Scheme(act=TensorSpec(signed=False, symmetric=False, quantizer=Method("dynamic"))),
            "has no fixed range",
        ),
    ],
)
def test_what_encodings_cannot_say_is_refused(scheme, reason):
    with pytest.raises(ExportError, match=reason):
        aimet_encodings(calibrated(scheme))


def test_a_network_that_is_not_calibrated_is_refused():
    net = small()
    with pytest.raises(ExportError, match=r"has no fixed range"):
        aimet_encodings(quantize(net, make_plan(net, Scheme(), images())))
