"""Pages of files of the checkout that are not in ``docs``, and of the examples."""

from collections.abc import Iterator
from pathlib import Path

from docs._generate.links import for_site
from docs._generate.pages import GENERATED, ROOT, Page

FILES = {
    "CONTRIBUTING.md": "contributing",
    "CHANGELOG.md": "changelog",
    "SECURITY.md": "security",
    "README.zh.md": "readme.zh",
}
LANGUAGES = {".py": "python", ".yaml": "yaml"}


def pages() -> Iterator[Page]:
    """One page for each file, and one for each example with all its files."""
    for source, name in FILES.items():
        yield _shown(ROOT / source, f"{GENERATED}/{name}")
    for readme in sorted((ROOT / "examples").glob("*/README.md")):
        page = _shown(readme, f"{GENERATED}/examples/{readme.parent.name}")
        yield Page(page.name, page.text + "\n## Files\n\n" + "\n".join(_files(readme.parent)))


def _shown(path: Path, name: str) -> Page:
    source = path.relative_to(ROOT).as_posix()
    return Page(name, for_site(path.read_text(encoding="utf-8"), source, name))


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in LANGUAGES and (text := path.read_text(encoding="utf-8").strip()):
            name = path.relative_to(folder).as_posix()
            yield f"### `{name}`\n\n```{LANGUAGES[path.suffix]}\n{text}\n```\n"
