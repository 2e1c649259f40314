"""Names in files, and the layers and operations that they may mean."""

import pytest

from qat.base.errors import InputError
from qat.export.imported.names import (
    layer_names,
    parse_renames,
    renamed,
    scope_path,
    tensor_names,
)


@pytest.mark.parametrize(
    ("parameter", "node", "expected"),
    [
        ("conv1.weight", "", "conv1"),
        ("conv1.weight_quantized", "", "conv1"),
        ("layer1.0.conv1.weight", "/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"),
        ("onnx::Conv_193", "/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"),
        ("onnx::MatMul_7", "/head/MatMul", "head"),
        ("stem/weight", "stem", "stem"),
        ("fc.weight_q", "", "fc"),
    ],
)
def test_a_layer_is_among_its_names(parameter, node, expected):
    assert expected in layer_names(parameter, node)


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        ("input", "input"),
        ("/layer1/layer1.0/relu/Relu_output_0", "layer1.0.relu"),
        ("/layer1/layer1.0/Add_output_0", "layer1.0.add"),
        ("/Add_1_output_0", "add"),
        ("/layer1/layer1.0/relu_1/Relu_output_0", "layer1.0.relu_1"),
        ("layer1.0.add", "layer1.0.add"),
    ],
)
def test_an_operation_is_among_the_names_of_its_tensor(tensor, expected):
    assert expected in tensor_names(tensor)


def test_scopes_of_sequentials_repeat_the_name_of_the_parent():
    assert scope_path("/features/features.0/features.0.0/Conv") == ("features.0.0", "Conv")
    assert scope_path("/Add") == ("", "Add")


def test_the_user_may_rename_names_and_beginnings():
    changes = parse_renames(["model.=", "Conv_0=stem", "net/=a."])
    assert renamed(("model.fc", "Conv_0", "net/b", "modelx"), changes) == (
        *("fc", "stem", "a.b", "modelx"),
    )


@pytest.mark.parametrize("word", ["stem", "=stem", ""])
def test_a_rename_without_two_names_is_refused(word):
    with pytest.raises(InputError, match=r"--rename takes OLD=NEW"):
        parse_renames([word])
