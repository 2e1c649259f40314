"""Low-bit floats, blocks and few levels, from the command line to the packed file."""

import json

import pytest

from tests.command_line import TINY

STATIC = ["mode=static"]
QAT = ["mode=qat", "trainer=smoke"]


@pytest.mark.parametrize(
    ("words", "label", "bits"),
    [
        pytest.param([*QAT, "scheme=mxfp4"], "w4a4-mxfp4_e2m1-qat", (4, 4), id="mxfp4"),
        pytest.param([*STATIC, "scheme=fp8"], "w8a8-fp8_e4m3-static", (8, 8), id="fp8"),
        pytest.param(
            [*STATIC, "scheme=mxfp8"],
            "w8a8-mxfp8_e4m3-static",
            (8, 8),
            id="mxfp8",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [*QAT, "scheme=w1a1"], "w1a1-binary-sign-qat", (1, 1), id="w1a1", marks=pytest.mark.slow
        ),
        pytest.param(
            [*QAT, "scheme=w2a2", "quantizer@scheme.weight=ternary"],
            "w2a2-ternary-lsq-qat",
            (2, 2),
            id="ternary",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_run_is_recorded_and_its_packed_file_as_right(qat, home, words, label, bits):
    code, out, err = qat("run", *TINY, *words)
    assert code == 0, err
    assert f"{label}-seed0" in out
    folder = home / "runs" / json.loads(next((home / "runs").glob("*/run.json")).read_text())["id"]
    record = json.loads((folder / "run.json").read_text())
    inner = list(record["plan"]["layers"].values())[1]
    assert (inner["weight"]["bits"], inner["act"]["bits"]) == bits
    macs, bops = record["metrics"]["macs"], record["metrics"]["bops"]
    assert macs * bits[0] * bits[1] <= bops <= macs * 64  # both ends have at most 8 bits
    code, out, err = qat("evaluate", str(folder))
    assert code == 0, err
    assert out.count("as recorded") == 3  # top-1, top-5, loss
    code, _, err = qat("export", str(folder), "--to", "onnx")
    assert code == 2
    assert "placement" in err or "format" in err


def test_wrong_requests_are_refused_before_anything_starts(qat, home):
    for words, message in (
        (["scheme=fp8", "scheme.placement=integer"], "has no scheme.placement=integer"),
        (["scheme=w2a2", "scheme.weight.bits=1"], "1 bit needs the quantizer binary (weights)"),
        (["scheme=mxfp4", "observer@scheme.act=mse"], "would ignore observer@scheme.act=mse"),
        (["scheme=mxfp4", "export.onnx=always"], "no integer runtime computes"),
    ):
        code, _, err = qat("run", *TINY, *STATIC, *words)
        assert code == 2
        assert message in " ".join(err.split())
    assert not list((home / "runs").glob("*"))
