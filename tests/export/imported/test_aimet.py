"""Encodings of AIMET in each version, with numbers by hand."""

import pytest

from qat.base.errors import InputError
from qat.export.imported.aimet import VERSIONS, read_aimet
from tests.export.imported_files import (
    list_encodings,
    listed,
    onnx_term_encodings,
    per_channel,
    per_tensor,
    torch_encodings,
)


def facts(one):
    return one.bits, one.signed, one.symmetric, one.scale[0], one.zero_point[0]


def test_dictionaries_with_names_of_modules():
    contents = read_aimet(torch_encodings())
    weights = contents.weights
    assert weights["stem.weight"].names == ("stem",)
    assert weights["stem.weight"].encoding.scale == (0.01, 0.02, 0.03, 0.04)
    assert facts(weights["body.weight"].encoding) == (4, True, True, 0.5, 0)
    assert facts(contents.inputs["stem.input[0]"].encoding) == (8, False, False, 0.03, 120)
    # The offset is 0 and the file says asymmetric: it stays so.
    assert facts(contents.tensors["relu.output[0]"].encoding) == (8, False, False, 0.02, 0)
    assert contents.ignored == {"head.bias": "a bias"}


@pytest.mark.parametrize("version", [None, *VERSIONS[:6]])
def test_the_form_decides_and_not_the_version(version):
    """``PREFIX_torch.encodings`` has dictionaries and the version of the other file."""
    data = torch_encodings() | ({} if version is None else {"version": version})
    assert read_aimet(data) == read_aimet(torch_encodings())


def test_dictionaries_with_names_of_tensors():
    data = {
        "version": "0.6.1",
        "activation_encodings": {"/relu/Relu_output_0": [per_tensor(0.02, -1)]},
        "param_encodings": {"stem.weight": per_channel([0.5])},
    }
    tensor = read_aimet(data).tensors["/relu/Relu_output_0"]
    assert "relu" in tensor.names
    assert facts(tensor.encoding) == (8, False, False, 0.02, 1)


def test_lists():
    contents = read_aimet(list_encodings())
    assert contents.weights["stem.weight"].encoding.scale == (0.01, 0.02, 0.03, 0.04)
    assert facts(contents.weights["body.weight"].encoding) == (4, True, True, 0.5, 0)
    assert facts(contents.tensors["/Add_output_0"].encoding) == (8, False, False, 0.04, 64)


def test_terms_of_onnx():
    contents = read_aimet(onnx_term_encodings())
    assert facts(contents.weights["stem.weight"].encoding) == (8, True, True, 0.5, 0)
    assert contents.weights["body.weight"].encoding.bits == 4
    assert contents.weights["head.weight"].encoding.half
    # uint8 with zero point 128 has the values of int8 with zero point 0
    assert facts(contents.tensors["input"].encoding) == (8, True, True, 0.125, 0)
    assert facts(contents.tensors["relu"].encoding) == (8, False, False, 0.25, 3)


def test_a_strict_symmetric_weight_is_narrow():
    entry = listed("fc.weight", 8, [0.5], [-127], symmetric=True)
    one = lists([entry]).weights["fc.weight"].encoding
    assert (one.narrow, one.signed, one.zero_point) == (True, True, (0,))


def test_an_unsigned_symmetric_activation():
    one = lists([], [listed("relu", 8, [0.5], [0], symmetric=True)]).tensors["relu"].encoding
    assert (one.signed, one.symmetric) == (False, True)


def test_blocks_are_groups():
    entry = listed("fc.weight", 4, [[0.5, 0.25], [1.0, 2.0]], [[-8, -8], [-8, -8]], symmetric=True)
    one = lists([entry | {"enc_type": "PER_BLOCK", "block_size": 2}]).weights["fc.weight"].encoding
    assert (one.group_size, one.scale) == (2, (0.5, 0.25, 1.0, 2.0))


def test_floats():
    half = {"name": "a.weight", "bw": 16, "dtype": "FLOAT", "enc_type": "PER_TENSOR"}
    contents = lists([half, half | {"name": "b.weight", "bw": 32}])
    assert contents.weights["a.weight"].encoding.half
    assert contents.ignored == {"b.weight": "float32"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scale": [0.0]}, "'fc.weight' has the scale 0.0"),
        ({"scale": [-1.0]}, "has the scale -1.0"),
        ({"scale": [None]}, "has the scale None"),
        ({"scale": []}, "has no scale"),
        ({"offset": [0.5]}, "has the offset 0.5, which must be a whole number"),
        ({"offset": [-300]}, "zero point 300 outside its codes 0 to 255"),
        ({"offset": [0, 0]}, "has 1 scales and 2 zero points"),
        ({"bw": 1}, "has the bit width 1"),
        ({"bw": "8"}, "has the bit width '8'"),
        ({"bw": 20}, "not the codes of 2 to 16 bits"),
        ({"is_sym": "perhaps"}, "must say whether it is symmetric"),
        ({"enc_type": "VECTOR"}, "has enc_type VECTOR: export it as PER_TENSOR"),
        ({"zero_point_shift": [0.5]}, "has a zero point between two codes"),
        ({"dtype": "FLOAT", "bw": 8}, "is a float of 8 bits"),
    ],
)
def test_a_wrong_value_is_named(changes, reason):
    entry = listed("fc.weight", 8, [0.5], [-128], symmetric=False) | changes
    with pytest.raises(InputError, match=reason):
        lists([entry])


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"output_dtype": "int32", "y_scale": 1.0}, "has output_dtype 'int32'"),
        ({"output_dtype": "bfloat16"}, "has the type bfloat16"),
        ({"output_dtype": "int4", "y_scale": {"x": [1]}}, "scales of scales"),
        ({"output_dtype": "int4", "per_block_int_scale": [1]}, "scales of scales"),
        ({"output_dtype": "int4", "y_scale": 1.0, "block_size": 0}, "has the block_size 0"),
    ],
)
def test_a_wrong_value_in_terms_of_onnx_is_named(entry, reason):
    data = {"version": "2.0.0", "encodings": [{"name": "fc.weight"} | entry]}
    with pytest.raises(InputError, match=reason):
        read_aimet(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([], "it is not a JSON object"),
        ({}, "it has no encodings"),
        ({"version": "3.0.0"}, "encodings have version 0.4.0, .*, got '3.0.0'"),
        ({"param_encodings": {}, "activation_encodings": []}, "it has no encodings"),
        ({"param_encodings": [{}], "activation_encodings": []}, "param_encodings has no name"),
        ({"encodings": {}}, "it has no list 'encodings'"),
        ({"param_encodings": {"a": 1}, "activation_encodings": {}}, "'a' has no encoding"),
        ({"param_encodings": {}, "activation_encodings": {"a": 1}}, "'a' has no encoding"),
        (
            {"param_encodings": {}, "activation_encodings": {"a": {"input": [1]}}},
            "a: input is not a dictionary",
        ),
    ],
)
def test_what_is_no_file_of_encodings_is_refused(data, reason):
    with pytest.raises(InputError, match=reason):
        read_aimet(data)


def lists(parameters, activations=()):
    parts = {"param_encodings": list(parameters), "activation_encodings": list(activations)}
    return read_aimet({"version": "1.0.0", **parts})
