"""ONNX files as data: damaged, foreign and float ones are refused."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from qat.base.errors import InputError
from qat.export.imported.onnx_file import attributes_of, constants, load_qdq, values_of
from tests.export.imported_files import small_qdq
from tests.export.qdq_networks import plain


def saved(folder, model):
    path = folder / "net.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path


def test_a_qdq_file_is_read(tmp_path):
    assert load_qdq(saved(tmp_path, small_qdq())) == small_qdq()


@pytest.mark.parametrize("content", [b"", b"not onnx", b"\x08\x07", b"{}"])
def test_what_is_no_onnx_file_is_refused(tmp_path, content):
    with pytest.raises(InputError, match=r"it is not an ONNX file"):
        load_qdq(saved(tmp_path, content))


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_file_that_is_cut_off_is_refused(tmp_path, share):
    content = small_qdq().SerializeToString()
    with pytest.raises(InputError, match=r"its end is missing: export or copy it again"):
        load_qdq(saved(tmp_path, content[: int(len(content) * share)]))


def test_a_float_network_has_nothing_to_import(tmp_path):
    with pytest.raises(InputError, match=r"no QuantizeLinear or DequantizeLinear nodes"):
        load_qdq(saved(tmp_path, plain()))


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        ("DynamicQuantizeLinear", "its ranges are dynamic"),
        ("QLinearConv", "QOperator format"),
        ("Quant", "use export_onnx_qcdq"),
    ],
)
def test_other_formats_are_named(tmp_path, op, reason):
    graph = helper.make_graph([helper.make_node(op, ["x"], ["y"])], "other", [], [])
    with pytest.raises(InputError, match=reason):
        load_qdq(saved(tmp_path, helper.make_model(graph)))


def test_a_large_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("qat.export.imported.onnx_file.LARGEST_BYTES", 100)
    with pytest.raises(InputError, match=r"larger than"):
        load_qdq(saved(tmp_path, small_qdq()))


def test_constants_are_initialisers_and_nodes():
    value = numpy_helper.from_array(np.float32(0.5), "inner")
    nodes = [
        helper.make_node("Constant", [], ["tensor"], value=value),
        helper.make_node("Constant", [], ["number"], value_float=0.25),
        helper.make_node("Constant", [], ["whole"], value_int=3),
    ]
    stored = numpy_helper.from_array(np.int8([1, 2]), "stored")
    tensors = constants(helper.make_graph(nodes, "g", [], [], [stored]))
    values = {name: values_of(name, tensors).tolist() for name in tensors}
    assert values == {"stored": [1, 2], "tensor": 0.5, "number": 0.25, "whole": 3}


def test_a_value_that_is_not_in_the_file_is_named():
    with pytest.raises(InputError, match=r"'scale' is computed by the graph"):
        values_of("scale", {})
    outside = TensorProto(name="scale", data_type=TensorProto.FLOAT, dims=[1])
    outside.data_location = TensorProto.EXTERNAL
    with pytest.raises(InputError, match=r"'scale' lies in another file"):
        values_of("scale", {"scale": outside})
    damaged = TensorProto(name="scale", data_type=TensorProto.FLOAT, dims=[9], raw_data=b"12")
    with pytest.raises(InputError, match=r"'scale' is damaged"):
        values_of("scale", {"scale": damaged})


def test_attributes_by_name():
    node = helper.make_node("Transpose", ["x"], ["y"], perm=[1, 0])
    assert attributes_of(node) == {"perm": [1, 0]}
