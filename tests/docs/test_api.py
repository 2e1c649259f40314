"""The page of public names."""

from types import ModuleType

import qat
from docs._generate.api import directive, pages
from docs._generate.pages import GENERATED


def test_every_public_name_has_an_entry():
    texts = {page.name: page.text for page in pages()}
    public = set(qat.__all__) - {"__version__", "extend"}
    names = {
        f"{GENERATED}/api": [f"qat.{name}" for name in public],
        f"{GENERATED}/extend": [f"qat.extend.{name}" for name in qat.extend.__all__],
    }
    for page, listed in names.items():
        assert listed
        for name in listed:
            assert f"\n## `{name}`\n" in texts[page]
            assert f":: {name}\n" in texts[page]


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
