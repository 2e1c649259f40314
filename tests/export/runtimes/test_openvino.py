"""OpenVINO alone: its own file format, and its errors without the package."""

import sys

import numpy as np
import pytest

from qat.export.runtimes.openvino import OpenVino, save_openvino
from tests.export.qdq_networks import plain, some_images


def test_without_the_package_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    cure = r"openvino is not installed: pip install 'qatlab\[openvino\]'"
    with pytest.raises(ValueError, match=cure):
        save_openvino(plain().SerializeToString(), tmp_path / "net.xml")
    with pytest.raises(ValueError, match=cure):
        OpenVino().version()
    assert not list(tmp_path.iterdir())


def test_another_suffix_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", sys)  # any module: it is not used
    with pytest.raises(ValueError, match=r"files end in \.xml, got .*net\.onnx; use net\.xml"):
        save_openvino(plain().SerializeToString(), tmp_path / "net.onnx")


@pytest.mark.openvino
def test_its_own_files_give_the_same_logits(tmp_path):
    import openvino

    model = tmp_path / "net.onnx"
    model.write_bytes(plain().SerializeToString())
    size = save_openvino(model, tmp_path / "net.xml")
    assert size == sum((tmp_path / f"net.{end}").stat().st_size for end in ("xml", "bin"))
    compiled = openvino.Core().compile_model(tmp_path / "net.xml", "CPU")
    expected = OpenVino().load(model, threads=1).run(some_images())
    np.testing.assert_allclose(compiled(some_images())[0], expected, rtol=1e-5)
