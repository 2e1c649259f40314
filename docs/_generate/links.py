"""Links between files of the checkout, as links between pages of the site.

The pages in ``docs``, the README and the pages of ``experiments`` link to each other by their
paths, so that the links work on any host of the repository. The site has some of these files at
other places.
"""

import posixpath
import re
from collections.abc import Iterator

from docs._generate.pages import GENERATED, ROOT

_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_OUTSIDE = re.compile(r"[a-z]+:|#")
_WHOLE = {
    "README.md": "index",
    "README.zh.md": f"{GENERATED}/readme.zh",
    "CONTRIBUTING.md": f"{GENERATED}/contributing",
    "CHANGELOG.md": f"{GENERATED}/changelog",
    "SECURITY.md": f"{GENERATED}/security",
    "docs/references.bib": f"{GENERATED}/references",
    "experiments": f"{GENERATED}/gallery/index",
    "experiments/README.md": f"{GENERATED}/gallery/index",
    "qat/__init__.py": f"{GENERATED}/api",
    "qat/allocate": f"{GENERATED}/methods/allocators/index",
    "qat/cli": f"{GENERATED}/command_line",
    "qat/observers": f"{GENERATED}/methods/observers/index",
    "qat/ptq": f"{GENERATED}/methods/steps/index",
    "qat/quantizers": f"{GENERATED}/methods/quantizers/index",
    "qat/quantizers/base.py": f"{GENERATED}/extend",
    "qat/records/metrics.py": f"{GENERATED}/names",
}
"""Path in the checkout → page of the site."""


class DeadLinkError(ValueError):
    """A page links to a file that is not in the checkout."""


def page_of(path: str) -> str | None:
    """The page of the site that shows a file or folder of the checkout; None if there is none.

    Args:
        path: Relative to the checkout.

    Example:
        >>> page_of("docs/ptq.md"), page_of("experiments/demo/table.md"), page_of("LICENSE")
        ('ptq', 'generated/gallery/demo', None)
    """
    if path in _WHOLE:
        return _WHOLE[path]
    first, _, rest = path.partition("/")
    if first == "docs" and rest.endswith(".md"):
        return rest.removesuffix(".md")
    if first == "experiments" and (rest.endswith(".md") or "." not in rest):
        return f"{GENERATED}/gallery/{rest.partition('/')[0]}"
    if first == "examples" and rest:
        return f"{GENERATED}/examples/{rest.partition('/')[0]}"
    if first == "conf":
        return f"{GENERATED}/configuration"
    if first == "qat":
        return f"{GENERATED}/rooms"
    return None


def for_site(text: str, source: str, page: str) -> str:
    """Markdown of a file of the checkout, with links that work on a page of the site.

    Args:
        text: The Markdown.
        source: Path of the file, relative to the checkout.
        page: Name of the page that shows it.

    Raises:
        DeadLinkError: If a link leads to nothing.

    Example:
        >>> for_site("[demo](experiments/demo/)", "README.md", "index")
        '[demo](generated/gallery/demo.md)'
    """

    def target(match: re.Match[str]) -> str:
        return match[1] + _target(match[2], source, page) + match[3]

    parts = [part if is_code else _LINK.sub(target, part) for is_code, part in split_code(text)]
    return "".join(parts)


def split_code(text: str) -> Iterator[tuple[bool, str]]:
    """``(is code, lines)`` of a text, which is cut at its code fences."""
    fence, lines = "", ""
    for line in text.splitlines(keepends=True):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if not fence and mark:
            yield False, lines
            fence, lines = mark[1], line
        elif fence and line.strip() == fence:
            yield True, lines + line
            fence, lines = "", ""
        else:
            lines += line
    yield bool(fence), lines


def section_of(path: str) -> str:
    """The anchor of a file that the page of a study shows below its README; empty for others.

    Args:
        path: Relative to the checkout.

    Example:
        >>> section_of("experiments/demo/table.md"), section_of("experiments/a/kinds/table.md")
        ('table', 'table-kinds')
    """
    parts = path.removesuffix(".md").split("/")
    if parts[0] != "experiments" or len(parts) < 3 or not path.endswith(".md"):
        return ""
    *folders, stem = parts[2:]
    return "" if stem == "README" else "-".join([stem, *folders]).replace("_", "-")


def _target(link: str, source: str, page: str) -> str:
    if _OUTSIDE.match(link):
        return link
    file, mark, anchor = link.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), file))
    if not (ROOT / path).exists():
        raise DeadLinkError(f"{source} links to {link}, but there is no {path}")
    home = page_of(path)
    if home is None and not (ROOT / path).is_file():
        raise DeadLinkError(f"{source} links to {link}: no page of the site shows this folder")
    if home == page and section_of(path):
        return f"#{section_of(path)}"
    shown = f"docs/{home}.md" if home else path
    return posixpath.relpath(shown, posixpath.dirname(f"docs/{page}")) + mark + anchor
