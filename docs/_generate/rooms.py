"""The map of the source: every room and file, with the first line of its docstring."""

import re
from collections.abc import Iterator
from pathlib import Path

from docs._generate.markdown import prose, table
from docs._generate.pages import GENERATED, ROOT, Page

HEAD = """# Source files

The subpackages of `qat` are called rooms. [Contributing](contributing.md) says what is in each and
which rooms it may import. This list is generated from the docstrings of the files.

"""
_DOCSTRING = re.compile(r'r?"""(.*?)"""', re.DOTALL)


def pages() -> Iterator[Page]:
    """The page of all rooms."""
    rooms = [path for path in sorted((ROOT / "qat").iterdir()) if (path / "__init__.py").is_file()]
    yield Page(f"{GENERATED}/rooms", HEAD + "\n".join(map(_room, rooms)))


def first_line(path: Path) -> str:
    """The first line of the docstring of a Python file; empty if it has none."""
    match = _DOCSTRING.match(path.read_text(encoding="utf-8"))
    return match[1].partition("\n\n")[0].strip() if match else ""


def _room(folder: Path) -> str:
    paths = [path for path in sorted(folder.rglob("*.py")) if path.name != "__init__.py"]
    rows = [(f"`{path.relative_to(folder).as_posix()}`", prose(first_line(path))) for path in paths]
    about = prose(first_line(folder / "__init__.py"))
    return "\n".join([f"## `{folder.name}`\n", f"{about}\n", table(("file", "content"), rows)])
