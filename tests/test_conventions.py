"""Conventions of the source that a reader relies on: tests beside the code, complete docstrings."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
QAT = TESTS.parent / "qat"
FILES = [path for path in sorted(QAT.glob("**/*.py")) if path.parent != QAT]


ROOMS = sorted({path.relative_to(QAT).parts[0] for path in FILES})


def name_of(path: Path) -> str:
    return path.relative_to(QAT).as_posix()


def files_of(room: str) -> list[Path]:
    return [path for path in FILES if path.relative_to(QAT).parts[0] == room]


@pytest.mark.parametrize("room", ROOMS)
def test_every_file_has_a_test_file_that_imports_it(room):
    for path in files_of(room):
        if path.name != "__init__.py":
            check_test_file(path)


def check_test_file(path: Path) -> None:
    test = TESTS / path.relative_to(QAT).with_name(f"test_{path.name}")
    assert test.is_file(), f"write {test.relative_to(TESTS.parent)}"
    *parents, name = path.relative_to(QAT.parent).with_suffix("").parts
    package = re.escape(".".join(parents))
    imports = rf"{package}\.{name}\b|from {package} import [^\n]*\b{name}\b"
    assert re.search(imports, test.read_text(encoding="utf-8")), f"{test} does not import {path}"


def functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """Public functions, and public methods of public classes."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from functions(node.body)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def arguments(function: ast.FunctionDef) -> list[str]:
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [a.arg for a in every if a.arg not in ("self", "cls") and not a.arg.startswith("_")]


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_explain_arguments_and_errors(room):
    for path in files_of(room):
        check_docstrings(path)


def check_docstrings(path: Path) -> None:
    for function in functions(ast.parse(path.read_text(encoding="utf-8")).body):
        where, text = f"{name_of(path)}:{function.lineno}", ast.get_docstring(function) or ""
        assert text, f"{where} has no docstring"
        names = arguments(function)
        section = re.search(r"^Args:\n((?: .*\n?|\n)*)", text, re.MULTILINE)
        explained = re.findall(r"^ +\*{0,2}(\w+)\b", section[1], re.MULTILINE) if section else []
        missing = set(names) - set(explained) if len(names) > 1 else set()
        assert not missing, f"{where} does not explain {missing}"
        raises = any(isinstance(n, ast.Raise) and n.exc is not None for n in ast.walk(function))
        assert not raises or "Raises:" in text, f"{where} does not say what it raises"
