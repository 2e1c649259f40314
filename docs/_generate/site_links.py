"""Check the links of the built site, without a network.

    python -m docs._generate.site_links build/site

Every link to a page, a heading or a file of the site must lead to something. Links to other sites
are not followed.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Reader(HTMLParser):
    """Collects the targets and the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note ``id`` and ``name`` as targets, ``href`` and ``src`` as links."""
        for name, value in attrs:
            if name == "id" or (name == "name" and tag == "a"):
                self.targets.add(value or "")
            elif name in ("href", "src", "data") and value:
                self.links.append(value)


def dead_links(site: Path) -> Iterator[str]:
    """``page: link`` of every link that leads to nothing.

    Args:
        site: Folder of the built site.
    """
    readers = {path.resolve(): _read(path) for path in sorted(site.rglob("*.html"))}
    for path, reader in readers.items():
        for link in reader.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target = target / "index.html"
            known = readers[target].targets if target in readers else None
            missing = known is not None and parts.fragment and unquote(parts.fragment) not in known
            if not target.is_file() or (missing and parts.fragment not in ("", "top")):
                yield f"{path.relative_to(site.resolve())}: {link}"


def main(words: list[str]) -> int:
    """Print the dead links of a site; the exit code is 1 if there are any."""
    site = Path(words[0])
    dead = list(dead_links(site))
    for line in dead:
        print(line, file=sys.stderr)
    pages = len(list(site.rglob("*.html")))
    print(f"{site}/index.html: {pages} pages, {len(dead)} dead links")
    return 1 if dead else 0


def _read(path: Path) -> _Reader:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
