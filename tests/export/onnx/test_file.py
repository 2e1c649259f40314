"""Writing of ONNX models, read back by onnx itself."""

import onnx
import pytest

from qat.export.onnx.file import OPSET, OPSET_INT2, save_onnx, set_opset
from tests.export.qdq_networks import plain


def test_a_saved_model_is_read_back_by_onnx(tmp_path):
    model = plain()
    size = save_onnx(model, tmp_path / "net.onnx")
    assert size == (tmp_path / "net.onnx").stat().st_size == len(model.SerializeToString())
    assert onnx.load(tmp_path / "net.onnx") == model


def test_a_model_that_cannot_be_written_leaves_the_older_file(tmp_path):
    path = tmp_path / "net.onnx"
    save_onnx(plain(), path)
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        save_onnx(None, path)
    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("bits", "opset", "ir_version"),
    [({8, 4}, OPSET, 10), ({8, 2}, OPSET_INT2, 13), ((), OPSET, 10)],
)
def test_two_bits_need_a_newer_operator_set(bits, opset, ir_version):
    model = plain()
    set_opset(model, bits)
    assert [(one.domain, one.version) for one in model.opset_import] == [("", opset)]
    assert model.ir_version == ir_version  # of onnx's own table of releases
