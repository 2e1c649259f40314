"""Names whose classes are imported when they are asked for."""

import sys

import pytest

from qat.core.registry import Registry
from qat.export.runtimes.registry import RUNTIMES
from qat.observers.registry import OBSERVERS
from qat.quantizers.registry import QUANTIZERS


def test_names_are_read_without_an_import():
    sys.modules.pop("this", None)
    registry = Registry({"zen": "this:s"})
    assert "zen" in registry
    assert [*registry] == ["zen"]
    assert len(registry) == 1
    assert "this" not in sys.modules


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError):
        Registry({})["nothing"]


@pytest.mark.parametrize("registry", [QUANTIZERS, OBSERVERS, RUNTIMES])
def test_every_name_leads_to_a_class(registry):
    assert all(isinstance(cls, type) for cls in registry.values())
