"""The reference of the Python interface: public names, and the classes that methods derive from."""

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType

import qat
from docs._generate.markdown import prose, table
from docs._generate.pages import GENERATED, Page

PTQ_STEPS = (
    "qat.ptq.step.FloatStep",
    "qat.ptq.step.QuantizedStep",
    "qat.ptq.step.LayerStep",
    "qat.ptq.step.BlockStep",
)
API_HEAD = """# Python

All names that `import qat` offers, generated from their docstrings. Each is loaded when it is first
used, so that `import qat` is quick. `qat.extend` has [what your own methods are built
from](extend.md).

"""
EXTEND_HEAD = """# For methods of your own

A quantizer or an observer of your own is a subclass of one of the classes in `qat.extend`; an
allocator is a function of a `Problem` and `Budgets`. How to add one to a package of yours: the
[tutorial](../tutorials/own_method.md), and [a project of your own](../project.md); to this project:
[contributing](contributing.md). A step of post-training quantization is added to this project, as a
subclass of one of the classes in `qat.ptq.step`.

"""


def pages() -> Iterator[Page]:
    """The page of public names and the page of what own methods are built from."""
    names = [name for name in dir(qat) if not name.startswith("_") and name != "extend"]
    yield Page(f"{GENERATED}/api", API_HEAD + _entries(f"qat.{name}" for name in names))
    extend = [f"qat.extend.{name}" for name in dir(qat.extend)]
    yield Page(f"{GENERATED}/extend", EXTEND_HEAD + _entries([*extend, *PTQ_STEPS]))


def _entries(paths: Iterable[str]) -> str:
    entries = {path: _member(path) for path in paths}
    rows = [
        (f"[`{path}`](#{_anchor(path)})", _first_line(member)) for path, member in entries.items()
    ]
    parts = [table(("name", "what it is"), rows)]
    for path, member in entries.items():
        parts.append(f"({_anchor(path)})=\n## `{path}`\n")
        parts.append(f"```{{eval-rst}}\n{directive(path, member)}\n```\n")
    return "\n".join(parts)


def directive(path: str, member: object) -> str:
    r"""The directive of autodoc for a public name.

    Args:
        path: The name in full.
        member: What it names.

    Example:
        >>> directive("qat.core.plan", inspect)
        '.. automodule:: qat.core.plan\n   :members:'
    """
    if isinstance(member, ModuleType) and not callable(member):
        return f".. automodule:: {path}\n   :members:"
    if inspect.isclass(member):
        return f".. autoclass:: {path}\n   :members:"
    return f".. autofunction:: {path}" if callable(member) else f".. autodata:: {path}"


def _member(path: str) -> object:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _anchor(path: str) -> str:
    return f"api-{path.replace('.', '-').replace('_', '-').lower()}"


def _first_line(member: object) -> str:
    return prose((inspect.getdoc(member) or "").partition("\n")[0])
