"""Labels by nodes that are written by hand."""

import pytest

from qat.export.runtimes.base import RuntimeNode
from qat.export.runtimes.labels import SIZE_ONLY, float16_products, float_layers, label

NODES = (
    RuntimeNode("a", "QLinearConv", True, "conv"),
    RuntimeNode("b", "Gemm", False, "head", half=True),
    RuntimeNode("c", "Conv", False, "split"),
    RuntimeNode("d", "QLinearConv", True, "split"),
    RuntimeNode("e", "Relu", False, "conv"),
)


def test_a_layer_is_integer_if_all_its_products_are():
    assert float_layers(NODES, ["conv", "head", "split"]) == ("head", "split")
    assert label(NODES, ["conv"]) is None
    assert label(NODES, ["conv", "split"]) == SIZE_ONLY


def test_only_products_count_for_float16():
    assert float16_products(NODES) == (1, 4)


def test_a_layer_that_the_runtime_does_not_have():
    nodes = [RuntimeNode("a", "Conv", False, "a")]
    with pytest.raises(KeyError, match="computes no layer b; it has a"):
        label(nodes, ["a", "b"])
