"""Writing of ONNX models, read back by onnx itself."""

import onnx
import pytest

from qat.export.onnx.file import OPSET, OPSET_INT2, save_onnx, set_opset
from tests.export.qdq_networks import plain


def test_a_saved_model_is_read_back_by_onnx(tmp_path):
    path = tmp_path / "new" / "net.onnx"
    assert save_onnx(plain(), path) == path.stat().st_size
    assert onnx.load(path) == plain()


def test_nothing_partial_is_left_when_writing_fails(tmp_path, monkeypatch):
    (tmp_path / "net.onnx").write_bytes(b"the older one")

    def full(path, data):
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_bytes", full)
    for name in ("net.onnx", "other.onnx"):
        with pytest.raises(OSError, match="No space left"):
            save_onnx(plain(), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
    assert (tmp_path / "net.onnx").read_bytes() == b"the older one"


@pytest.mark.parametrize(
    ("bits", "opset", "ir_version"),
    [({8, 4}, OPSET, 10), ({8, 2}, OPSET_INT2, 13), ((), OPSET, 10)],
)
def test_two_bits_need_a_newer_operator_set(bits, opset, ir_version):
    model = plain()
    set_opset(model, bits)
    assert [(one.domain, one.version) for one in model.opset_import] == [("", opset)]
    assert model.ir_version == ir_version  # of onnx's own table of releases
