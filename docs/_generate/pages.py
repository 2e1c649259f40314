"""Pages as data, and the folders that the generators read and write."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GENERATED = "generated"
"""Folder below ``docs`` for pages that are written anew by each build."""


@dataclass(frozen=True)
class Page:
    """One page of Markdown.

    Attributes:
        name: Its path below ``docs``, without suffix: ``generated/api``.
        text: Its Markdown.
    """

    name: str
    text: str


def write_pages(pages: Iterable[Page], docs: Path = DOCS) -> None:
    """Write pages, and delete generated pages that no longer exist.

    A page that is already there with the same text is left alone, so that only changed pages are
    built again.

    Args:
        pages: All generated pages.
        docs: Folder of the documentation.
    """
    paths = {docs / f"{page.name}.md": page.text for page in pages}
    for path in (docs / GENERATED).rglob("*.md"):
        if path not in paths:
            path.unlink()
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def contents(names: Iterable[str]) -> str:
    """A hidden table of contents, which puts pages into the navigation.

    Args:
        names: Pages, relative to the page that has the table.
    """
    lines = "\n".join(names)
    return f"```{{toctree}}\n:hidden:\n\n{lines}\n```\n"
