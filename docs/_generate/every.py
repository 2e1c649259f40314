"""All generated pages."""

from collections.abc import Iterator
from importlib import import_module

from docs._generate.pages import Page

GENERATORS = (
    *("api", "command_line", "configuration", "gallery", "methods"),
    *("names", "project", "references", "rooms", "version"),
)
"""Modules of this package that have a function ``pages``."""


def every_page() -> Iterator[Page]:
    """The pages of all generators."""
    for generator in GENERATORS:
        yield from import_module(f"{__package__}.{generator}").pages()
