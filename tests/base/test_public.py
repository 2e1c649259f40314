"""Public names that are loaded where they are first used, and subpackages that can be called."""

import inspect
import sys

import pytest

from qat.base.public import CallableRoom, PublicPackage, homes, load, publish

STUB = '''"""Words."""

from qat.core.grid import IntGrid as IntGrid
from qat.core.grid import MAX_BITS as MAX_BITS
import this_line_is_not_a_name
from qatlab_helper.inner import inner as inner
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a stub, and with a subpackage that has the name of a public function."""
    root = tmp_path / "qatlab_helper"
    for name in ("inner", "other"):
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text("")
    (root / "inner" / "inner.py").write_text(
        "def inner(a, *, b=1):\n    'Both.'\n    return a, b\n"
    )
    (root / "__init__.pyi").write_text(STUB.replace("helper.inner", "helper.inner.inner"))
    (root / "__init__.py").write_text(
        "from qat.base.public import publish\n__all__ = publish(__name__, 'own')\nown = 1\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield __import__("qatlab_helper")
    for name in set(sys.modules) - before:
        if name.startswith("qatlab_helper"):
            del sys.modules[name]


def test_each_line_of_a_stub_is_a_name(tmp_path):
    (tmp_path / "x.pyi").write_text(STUB)
    assert homes(str(tmp_path / "x.pyi")) == {
        "IntGrid": "qat.core.grid",
        "MAX_BITS": "qat.core.grid",
        "inner": "qatlab_helper.inner",
    }


def test_a_name_or_a_module_is_loaded():
    from qat.core import grid

    assert load("IntGrid", "qat.core.grid") is grid.IntGrid
    assert load("core", "qat") is sys.modules["qat.core"]


def test_names_are_loaded_when_they_are_used(package):
    from qat.core.grid import IntGrid

    assert isinstance(package, PublicPackage)
    assert package.IntGrid is IntGrid
    assert package.MAX_BITS == 16
    assert dir(package) == ["IntGrid", "MAX_BITS", "inner", "own"]
    with pytest.raises(
        AttributeError, match="qatlab_helper has no 'grid'; it has IntGrid, MAX_BITS"
    ):
        package.grid  # noqa: B018


def test_a_subpackage_is_the_function_of_its_name_whoever_imports_it_first(package):
    import qatlab_helper.other

    assert type(qatlab_helper.other) is type(sys)  # has no public name
    import qatlab_helper.inner.inner as module

    assert package.inner is sys.modules["qatlab_helper.inner"]
    assert isinstance(package.inner, CallableRoom)
    assert package.inner(2, b=3) == (2, 3)
    assert str(inspect.signature(package.inner)) == "(a, *, b=1)"
    assert inspect.getdoc(package.inner) == "Both."
    assert repr(package.inner) == "<function and subpackage qatlab_helper.inner>"
    assert module.inner(2) == (2, 1)


def test_a_room_that_nobody_imported_is_imported(package):
    assert package.inner(1) == (1, 1)
    assert package.inner.__name__ == "qatlab_helper.inner"


def test_a_module_without_a_stub_cannot_be_published():
    with pytest.raises(FileNotFoundError):
        publish("qat.base.public")
