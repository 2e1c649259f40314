"""A float network and an integer one as files, to be timed."""

import onnx
import pytest

from tests.export.qdq_networks import plain, quantized


@pytest.fixture
def files(tmp_path):
    paths = {"float": tmp_path / "float.onnx", "int8": tmp_path / "int8.onnx"}
    onnx.save(plain(), paths["float"])
    onnx.save(quantized(), paths["int8"])
    return paths
