"""All generated pages."""

from collections.abc import Iterator

from docs._generate import (
    api,
    command_line,
    configuration,
    gallery,
    methods,
    names,
    project,
    references,
    rooms,
    version,
)
from docs._generate.pages import Page

GENERATORS = (
    api,
    command_line,
    configuration,
    gallery,
    methods,
    names,
    project,
    references,
    rooms,
    version,
)


def every_page() -> Iterator[Page]:
    """The pages of all generators."""
    for generator in GENERATORS:
        yield from generator.pages()
