"""Runtimes by name."""

import pytest

from qat.export.runtimes.onnxruntime import OnnxRuntime
from qat.export.runtimes.registry import RUNTIMES, make_runtime


def test_only_known_runtimes():
    assert set(RUNTIMES) == {"onnxruntime", "openvino"}
    assert type(make_runtime()) is OnnxRuntime
    with pytest.raises(ValueError, match="no runtime tflite; there are onnxruntime, openvino"):
        make_runtime("tflite")
