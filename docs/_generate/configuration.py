"""The reference of all keys, groups and files of the configuration."""

import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass

from docs._generate.keys import Key, every_key
from docs._generate.markdown import from_docstring, prose, table
from docs._generate.pages import GENERATED, Page
from qat.config.keys import SLOTS, type_at
from qat.config.yaml_files import files, groups, summary

HEAD = """# Configuration

This page is generated from `qat/config/schema.py` and the files in `conf/`, with their comments.
Each key can be set on the command line: `qat run KEY=VALUE`. A group is set by the name of a file:
`qat run GROUP=NAME`; the keys of that file then have its values. `qat run --cfg job` prints the
values of a request. Defaults are those of `qat run` without a word. A mapping such as
`data.options` takes keys of its own: `data.options.KEY=VALUE`.

"""
COLUMNS = ("key", "default", "type, choices", "meaning")
SLOT_FILES = ("quantizer", "observer")


def pages() -> Iterator[Page]:
    """The page of all keys and files."""
    yield Page(f"{GENERATED}/configuration", HEAD + "\n".join(_sections(every_key())))


def section_of(key: str) -> str:
    """The section of a key: its first part, and the slot of a scheme; empty for the root.

    Example:
        >>> section_of("scheme.act.bits"), section_of("data.augment.pad"), section_of("seed")
        ('scheme.act', 'data', '')
    """
    slot = next((slot for slot in SLOTS if key.startswith(f"{slot}.")), "")
    return slot or key.rpartition(".")[0].partition(".")[0]


def _sections(keys: list[Key]) -> Iterator[str]:
    sections = list(dict.fromkeys(section_of(key.name) for key in keys))
    for section in sorted(sections, key=lambda name: name != ""):
        own = [key for key in keys if section_of(key.name) == section]
        yield f"## {f'`{section}`' if section else 'The run'}\n"
        if section:
            yield f"{_explained(section)}\n"
        yield table(COLUMNS, map(_row, own))
        if section in groups():
            yield from _files(section)
    yield "## Quantizers and observers of a slot\n"
    for group in SLOT_FILES:
        yield from _files(group, f"{group}@scheme.weight=NAME` or `{group}@scheme.act")
    yield "## Launchers and sweepers\n"
    for group in ("hydra/launcher", "hydra/sweeper"):
        yield from _files(group)


def _explained(section: str) -> str:
    kind = type_at(section)
    assert is_dataclass(kind)
    return from_docstring(inspect.getdoc(kind) or "")


def _row(key: Key) -> tuple[str, ...]:
    return f"`{key.name}`", key.default, _values(key), prose(key.meaning)


def _values(key: Key) -> str:
    """Type and range, or the choices alone, since they show the type."""
    if key.allowed.startswith("`"):
        return key.allowed
    return f"{key.kind}: {key.allowed}" if key.allowed else key.kind


def _files(group: str, how: str = "") -> Iterator[str]:
    rows = [(f"`{name}`", prose(summary(path))) for name, path in files(group).items()]
    yield table((f"`{how or group}=NAME`", "what the file chooses"), rows)
