"""Whole files: read, held and computed, and one line for each mistake."""

import onnxruntime
import pytest
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

from qat.base.errors import InputError
from qat.convert.held import hold_ranges
from qat.convert.swap import quantize
from qat.export.imported.read import import_plan
from qat.export.onnx.floating import float_onnx
from tests.export.imported_files import (
    images,
    list_encodings,
    small,
    small_qdq,
    torch_encodings,
    written,
)
from tests.export.qdq_networks import plain


def saved(folder, model, name="net.onnx"):
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path


def held_network(held, net):
    qnet = quantize(net, held.plan).eval()
    assert hold_ranges(qnet, held) == []
    return qnet


def test_an_onnx_file_by_hand_computes_the_same_in_onnxruntime(tmp_path):
    """Oracle: onnxruntime without optimization, of a file with biases of int32."""
    path = saved(tmp_path, small_qdq(whole_biases=True))
    held = import_plan(path, small(), images(), "integer")
    qnet = held_network(held, small())
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    (expected,) = session.run(None, {"images": images().numpy()})
    with torch.no_grad():
        steps = (qnet(images()) - torch.from_numpy(expected)).abs() / 0.06
    assert steps.max() < 1.01  # a tie may round apart
    assert (steps < 0.01).float().mean() > 0.9
    assert held.unused == tuple(f"{name}.bias (a bias)" for name in ("stem", "body", "head"))


def test_encodings_round_as_their_numbers_say(tmp_path):
    """Oracle: scale * (q + offset) with q in 0..2^bits-1, by hand."""
    held = import_plan(written(tmp_path, torch_encodings()), small(), images())
    qnet = held_network(held, small())
    x = torch.linspace(-5, 5, 101)
    q = (torch.round(x / 0.03) + 120).clamp(0, 255)
    torch.testing.assert_close(qnet.stem.input_quantizer(x), 0.03 * (q - 120))
    w = small().body.weight
    q = (torch.round(w / 0.5) + 8).clamp(0, 15)
    torch.testing.assert_close(qnet.body.weight_quantizer(w), 0.5 * (q - 8))


def test_the_source_is_the_name_of_the_file(tmp_path):
    held = import_plan(written(tmp_path, list_encodings(), "mine.json"), small(), images())
    assert held.source == "mine.json"


def test_names_can_be_replaced(tmp_path):
    path = saved(tmp_path, small_qdq(prefix="model."))
    held = import_plan(path, small(), images(), "integer", rename={"model.": ""})
    assert len(held.ranges) == 9


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("net.json", b"{", r"not JSON: .*; give encodings of AIMET"),
        ("net.json", b'{"a": NaN}', "NaN is not JSON; give encodings of AIMET"),
        ("net.encodings", b"\xff\xfe", "not UTF-8 text"),
        ("net.json", b"[" * 5000, "nested deeper"),
        ("net.txt", b"hello", "not JSON"),
        ("net.onnx", b"hello", "it is not an ONNX file"),
        ("net.json", b"{}", "it has no encodings"),
        ("net.json", b'{"version": "9"}', "got '9'"),
    ],
)
def test_each_mistake_is_one_line_that_names_the_file(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason) as error:
        import_plan(path, small(), images())
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_files_that_are_absent_or_too_large_are_named(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"No such file or directory; give encodings"):
        import_plan(tmp_path / "none.json", small(), images())
    with pytest.raises(InputError, match=r"a folder, not a file"):
        import_plan(tmp_path, small(), images())
    monkeypatch.setattr("qat.export.imported.read.LARGEST_BYTES", 50)
    with pytest.raises(InputError, match=r"larger than"):
        import_plan(written(tmp_path, torch_encodings()), small(), images())


def test_a_float_onnx_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no QuantizeLinear or DequantizeLinear"):
        import_plan(saved(tmp_path, plain()), small(), images())


class OneBatch(CalibrationDataReader):
    def __init__(self):
        self.batches = iter([{"images": images().numpy()}])

    def get_next(self):
        return next(self.batches, None)


@pytest.mark.slow
def test_a_file_of_onnxruntimes_quantizer_computes_the_same(tmp_path):
    """Oracle: onnxruntime's own quantizer, and its sums of integers."""
    net, source, path = small(), tmp_path / "float.onnx", tmp_path / "net.onnx"
    source.write_bytes(float_onnx(net, images()).SerializeToString())
    types = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
    quantize_static(source, path, OneBatch(), per_channel=True, **types)
    held = import_plan(path, net, images(), "integer")
    assert held.open == ()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"images": images().numpy()})
    with torch.no_grad():
        logits = held_network(held, net)(images())
    step = held.ranges["head.tensor"].scale[0]
    torch.testing.assert_close(logits, torch.from_numpy(expected), rtol=0, atol=step * 1.01)
    assert (logits == torch.from_numpy(expected)).float().mean() > 0.9
