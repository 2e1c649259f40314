"""What SECURITY.md says: files are data, and only ``load_target`` imports the user's code."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "qat").rglob("*.py"))
SAFE = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
}
REFUSED = {
    *("eval", "exec", "pickle.load", "pickle.loads", "torch.jit.load", "torch.hub.load"),
    *("yaml.load", "yaml.unsafe_load", "yaml.full_load", "joblib.load", "dill.load"),
    *("os.system", "os.popen"),
}


@cache
def calls_in(code):
    """``(call, name of what is called)``."""
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [(node, ast.unparse(node.func)) for node in nodes]


def unsafe_calls(code):
    """Calls that could run code from a file."""
    for node, name in calls_in(code):
        keyword, value = SAFE.get(name, (None, None))
        known = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
        if name in REFUSED or (keyword and known.get(keyword) is not value):
            yield ast.unparse(node)


@pytest.mark.parametrize(
    "code",
    [
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(file, allow_pickle=flag)",
        "yaml.load(text, Loader)",
        "eval(text)",
    ],
)
def test_an_unsafe_call_is_seen(code):
    assert list(unsafe_calls(code)) == [code]


def test_no_file_is_loaded_as_code():
    calls = {path.name: list(unsafe_calls(path.read_text(encoding="utf-8"))) for path in FILES}
    assert not {name: unsafe for name, unsafe in calls.items() if unsafe}


def test_modules_by_name_are_imported_in_few_places():
    """Imports of computed names: of our own lists everywhere else, of the user's in one place."""
    homes = {path.relative_to(ROOT).as_posix() for path in FILES if _imports_by_name(path)}
    assert homes == {
        "qat/base/public.py",
        "qat/base/target.py",
        "qat/core/registry.py",
        "qat/data/__init__.py",
        "qat/export/runtimes/base.py",
        "qat/ptq/registry.py",
    }


def _imports_by_name(path):
    names = [name for _, name in calls_in(path.read_text(encoding="utf-8"))]
    return any(name.rpartition(".")[2] in ("import_module", "__import__") for name in names)


def test_the_page_names_each_format():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    for words in (
        "weights_only=True",
        "allow_pickle=False",
        ".safetensors",
        "yaml.safe_load",
        "qat import",
    ):
        assert words in text
