"""The pages of ``docs/tutorials``, and the figures beside them.

The figures of ``NAME.md`` are in the folder ``NAME``, with the paths that they have in the folder
where the page runs.
"""

import shutil
from pathlib import Path

from docs._generate.pages import DOCS
from docs._generate.tutorials.page import images, read_parts

TUTORIALS = DOCS / "tutorials"
INDEX = "index"


def names() -> list[str]:
    """The names of all tutorials."""
    return sorted(path.stem for path in TUTORIALS.glob("*.md") if path.stem != INDEX)


def page_path(name: str) -> Path:
    """The file of a page."""
    return TUTORIALS / f"{name}.md"


def figures(page: str, name: str) -> list[str]:
    """The figures of a page, relative to the folder where it runs.

    Args:
        page: The text of the page.
        name: The name of the page.

    Example:
        >>> figures("![a](first/a.svg) ![logo](../logo.svg)", "first")
        ['a.svg']
    """
    paths = images(read_parts(page))
    return [path.removeprefix(f"{name}/") for path in paths if path.startswith(f"{name}/")]


def missing_figures(page: str, name: str, folder: Path) -> list[str]:
    """Figures of a page that its run has not written.

    Screenshots (PNG) need a browser; without one, those of an earlier run stay.

    Args:
        page: The text of the page.
        name: The name of the page.
        folder: Where it ran.
    """
    has_browser = shutil.which("chromium") is not None
    wanted = [path for path in figures(page, name) if has_browser or not path.endswith(".png")]
    return [path for path in wanted if not (folder / path).is_file()]


def copy_figures(page: str, name: str, folder: Path, tutorials: Path = TUTORIALS) -> None:
    """Replace the figures beside a page by those of its run.

    Args:
        page: The text of the page.
        name: The name of the page.
        folder: Where it ran.
        tutorials: The folder of the pages.
    """
    written = [path for path in figures(page, name) if (folder / path).is_file()]
    for path in written:
        target = tutorials / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / path, target)
