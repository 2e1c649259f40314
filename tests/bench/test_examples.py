"""The examples in docstrings of benchmarks."""

import doctest

import pytest

from bench import _compare, _figures, _words


@pytest.mark.parametrize("module", [_compare, _figures, _words], ids=lambda m: m.__name__)
def test_examples_hold(module):
    tried = doctest.testmod(module)
    assert tried.attempted > 0
    assert tried.failed == 0
