"""The public names: listed once, documented, typed, each with an example that runs."""

import ast
import doctest
import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType

import pytest

import qat
from qat.base.public import CallableRoom, load

ROOT = Path(__file__).parents[1]
MODULES = (qat, qat.plot, qat.extend)
NAMES = {(module, name) for module in MODULES for name in module._homes}
NAMED = sorted(((m.__name__, name) for m, name in NAMES if name not in ("plot", "extend")), key=str)
ROOMS = {path.name for path in (ROOT / "qat").iterdir() if path.is_dir()}


def stub_names(stub):
    """The names that a type checker reads in a stub, with their modules."""
    return {
        alias.name: node.module
        for node in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name  # else a type checker takes it for an import alone
    }


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_type_checker_reads_the_names_that_are_loaded(module):
    assert stub_names(Path(module.__file__).with_suffix(".pyi")) == module._homes


def test_dir_is_the_list_and_all_else_is_private_by_name():
    assert dir(qat) == sorted([*qat._homes, "__version__"])
    for module in MODULES:
        assert set(dir(module)) - {"__version__"} == set(module._homes)
        others = set(vars(module)) - set(dir(module))
        assert {name for name in others if not name.startswith("_")} <= ROOMS


@pytest.mark.parametrize(("module", "name"), NAMED)
def test_each_public_name_has_an_example_and_types(module, name):
    public = load(name, sys.modules[module]._homes[name])
    assert getattr(sys.modules[module], name) is public or isinstance(
        getattr(sys.modules[module], name), CallableRoom
    )
    examples = doctest.DocTestParser().get_examples(public.__doc__ or "")
    assert examples, f"{module}.{name} has no example"
    assert all(not example.options.get(doctest.SKIP) for example in examples)
    if inspect.isfunction(public):
        untyped = [
            p for p in inspect.signature(public).parameters if p not in public.__annotations__
        ]
        assert not untyped
        assert "return" in public.__annotations__


def test_every_figure_is_public():
    """Each function of the figures that returns a Figure has a name in ``qat.plot``."""
    folder = ROOT / "qat" / "tracking" / "figures"
    drawing = set()
    for path in folder.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
            if is_public and node.returns is not None and ast.unparse(node.returns) == "Figure":
                drawing.add((node.name, f"qat.tracking.figures.{path.stem}"))
    assert drawing
    assert drawing <= set(qat.plot._homes.items())


@pytest.mark.parametrize("name", ["run", "sweep", "layers"])
def test_a_function_with_the_name_of_a_room_is_both(name):
    room = importlib.import_module(f"qat.{name}")
    assert isinstance(room, ModuleType)
    assert getattr(qat, name) is room
    function = load(name, qat._homes[name])
    assert inspect.signature(room) == inspect.signature(function)
    assert inspect.getdoc(room) == inspect.getdoc(function)
