"""Tensors of a file beside those of a network."""

import pytest

from qat.base.errors import InputError
from qat.export.imported.aimet import read_aimet
from qat.export.imported.matching import match
from qat.export.imported.network import imported_network
from qat.export.imported.onnx_graph import read_graph
from tests.export.imported_files import (
    images,
    list_encodings,
    listed,
    per_channel,
    small,
    small_qdq,
    torch_encodings,
)


@pytest.fixture(scope="module")
def network():
    return imported_network(small(), images(), "integer")


def test_a_graph_is_matched_by_what_computes_each_tensor(network):
    matched = match(read_graph(small_qdq().graph), network, {})
    assert list(matched.weights) == ["stem", "body", "head"]
    assert {name: tensor.encoding.scale[0] for name, tensor in matched.tensors.items()} == {
        "input": pytest.approx(0.03),
        "stem": pytest.approx(0.02),
        "body": pytest.approx(0.04),
        "add": pytest.approx(0.05),
        "mean": pytest.approx(0.025),
        "head": pytest.approx(0.06),
    }
    assert not matched.unused


def test_encodings_are_matched_by_the_names_of_operations(network):
    matched = match(read_aimet(list_encodings()), network, {})
    assert list(matched.tensors) == ["input", "stem", "add"]
    assert matched.unused == ["/Unknown_output_0 (no tensor of the network)"]
    matched = match(read_aimet(torch_encodings()), network, {})
    assert list(matched.tensors) == ["stem", "body", "head"]
    assert list(matched.inputs) == ["stem", "head"]
    assert matched.unused == ["head.bias (a bias)"]


def test_names_with_another_beginning_are_renamed_by_the_user(network):
    contents = read_graph(small_qdq(prefix="model.").graph)
    with pytest.raises(InputError, match=r"no layer of the network is called model.stem"):
        match(contents, network, {})
    assert list(match(contents, network, {"model.": ""}).weights) == ["stem", "body", "head"]


def test_an_unknown_weight_is_refused_with_both_lists(network):
    entries = [listed("other.weight", 8, [0.5], [-128], symmetric=True)]
    data = {"version": "1.0.0", "param_encodings": entries, "activation_encodings": []}
    reason = r"no layer of the network is called other; its layers are stem, body, head: .*--rename"
    with pytest.raises(InputError, match=reason):
        match(read_aimet(data), network, {})


def test_two_weights_of_one_layer_are_refused(network):
    contents = read_aimet(
        {
            "param_encodings": {"a.weight": per_channel([1.0]), "stem.weight": per_channel([1.0])},
            "activation_encodings": {},
        }
    )
    with pytest.raises(InputError, match=r"two weights of the file belong to layer 'stem'"):
        match(contents, network, {"a": "stem"})


def test_a_parameter_of_another_module_is_listed(network):
    contents = read_aimet(
        {"param_encodings": {"relu.weight": per_channel([1.0])}, "activation_encodings": {}}
    )
    assert match(contents, network, {}).unused == [
        "relu.weight (a ReLU, which has no quantizer of its own here)"
    ]
