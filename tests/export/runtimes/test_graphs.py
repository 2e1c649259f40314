"""Reading and changing ONNX files."""

import onnx
import pytest

from qat.export.runtimes.graphs import (
    existing,
    layer_names,
    output_names,
    read_graph,
    with_outputs,
)
from tests.export.qdq_networks import LAYERS, plain, quantized


def test_a_file_and_its_bytes_are_one_graph(tmp_path):
    onnx.save(plain(), tmp_path / "net.onnx")
    assert read_graph(tmp_path / "net.onnx") == read_graph(plain().SerializeToString()) == plain()
    assert existing(str(tmp_path / "net.onnx")) == tmp_path / "net.onnx"


def test_names_are_those_that_the_graph_was_written_with():
    content = quantized().SerializeToString()
    assert layer_names(content) >= {*LAYERS, "add", "pool", "flatten"}
    assert output_names(content) == ["logits"]


def test_each_requested_tensor_becomes_an_output_once():
    content = quantized().SerializeToString()
    changed = with_outputs(content, ["second/codes", "logits", "add/codes", "second/codes"])
    assert output_names(changed) == ["logits", "second/codes", "add/codes"]
    assert onnx.load_model_from_string(changed).graph.node == quantized().graph.node


def test_what_is_missing_or_damaged_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"net\.onnx: no such file; export the network first"):
        read_graph(tmp_path / "net.onnx")
    with pytest.raises(ValueError, match=r"^5 bytes: not an ONNX file.*export it again"):
        read_graph(b"\xff\xff\xff\xff\xff")
    with pytest.raises(ValueError, match=r"no tensor absent .* has 5 tensors: c, r, p, f, logits"):
        with_outputs(plain().SerializeToString(), ["absent"])
