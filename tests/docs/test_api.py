"""The page of public names."""

from types import ModuleType

import qat
from docs._generate.api import directive, pages
from docs._generate.pages import GENERATED


def test_every_public_name_has_an_entry():
    text = {page.name: page.text for page in pages()}[f"{GENERATED}/api"]
    for name in set(qat.__all__) - {"__version__"}:
        assert f"\n## `qat.{name}`\n" in text
        assert f":: qat.{name}\n" in text


def test_directives_by_kind():
    assert directive("qat.Scheme", qat.Scheme).startswith(".. autoclass::")
    assert directive("qat.quantize", qat.quantize).startswith(".. autofunction::")
    assert directive("qat", qat).startswith(".. automodule::")
    assert directive("qat.__version__", qat.__version__).startswith(".. autodata::")


def test_a_subpackage_that_can_be_called_is_shown_as_a_function():
    class CallableRoom(ModuleType):
        def __call__(self):
            """Run."""

    assert directive("qat.run", CallableRoom("qat.run")) == ".. autofunction:: qat.run"
