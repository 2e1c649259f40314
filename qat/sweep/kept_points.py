"""The composed points of a sweep, kept in the cache for the next time that it is asked for.

To compose them is most of the time in which a finished sweep is shown.
"""

import importlib.metadata
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from qat.base.errors import InputError
from qat.config.compose import Point
from qat.config.schema import RunConfig
from qat.config.words.command_line import Words
from qat.config.yaml_files import default_path, roots
from qat.records.cache import Cache

KIND = "points"
ENVIRONMENT = "oc.env"
_RESOLVER = re.compile(r"\$\{\s*([\w.]+)\s*:")
_VARIABLE = re.compile(r"\$\{\s*oc\.env\s*:\s*(\w+)")
_Entry = tuple[Cache, Mapping[str, Any]]


def kept_points(words: Words) -> list[Point] | None:
    """The points of a request that was composed and checked before; None if there are none.

    Args:
        words: The command line.
    """
    entry = _entry(words)
    path = None if entry is None else entry[0].find(KIND, entry[1], suffix=".json")
    if path is None:
        return None
    with suppress(OSError, ValueError, KeyError, TypeError):  # deleted, or of another program
        return _points(path.read_text(encoding="utf-8"), words.extra_dir)
    return None


def keep_points(words: Words, points: Sequence[Point]) -> None:
    """Keep the points of a request whose checks have passed; without a word if that fails.

    Args:
        words: The command line.
        points: Its points.
    """
    entry = _entry(words)
    if entry is None or any(point.config.allocate.latency_runs for point in points):
        return  # names of runs become folders by what the folder of runs has now
    with suppress(OSError, ValueError, KeyError, TypeError):
        text = json.dumps([[list(p.overrides), asdict(p.config)] for p in points])
        # JSON has no numbers as keys, for example.
        if _points(text, words.extra_dir) == list(points):
            store, key = entry
            store.get_or_make(KIND, key, lambda path: _write(path, text), suffix=".json")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _entry(words: Words) -> _Entry | None:
    """The cache, and everything that the composed points depend on.

    None if that is unknown: for a repeated run, and if a value is resolved by more than variables
    of the environment.
    """
    if words.rerun_of is not None or not words.multirun:
        return None
    try:
        texts = [path.read_text(encoding="utf-8") for path in _yaml_files(words.extra_dir)]
    except (OSError, UnicodeDecodeError):
        return None
    sources = "\n".join([*texts, *words.overrides])
    if not set(_RESOLVER.findall(sources)) <= {ENVIRONMENT}:
        return None
    names = sorted({"HOME", *_VARIABLE.findall(sources)})
    key = {
        "words": list(words.overrides),
        "files": sha256(sources.encode()).hexdigest(),
        "folder": str(words.extra_dir and words.extra_dir.resolve()),
        "program": _program(),
        "environment": {name: os.environ.get(name) for name in names},
    }
    return Cache(_cache_folder(words.overrides)), key


def _yaml_files(extra_dir: Path | None) -> Iterator[Path]:
    for root in roots(extra_dir):
        yield from sorted(root.rglob("*.yaml"))


def _cache_folder(overrides: Sequence[str]) -> Path:
    typed = [word.partition("=")[2] for word in overrides if word.startswith("paths.cache=")]
    return Path(typed[-1].strip("'\"")).expanduser() if typed else default_path("cache")


@cache
def _program() -> str:
    """Digest of the code that composes: ours by its text, Hydra by its version."""
    config = Path(__file__).resolve().parents[1] / "config"
    parts = [path.read_bytes() for path in sorted(config.rglob("*.py"))]
    versions = [importlib.metadata.version(name) for name in ("hydra-core", "omegaconf")]
    return sha256(b"\n".join([*parts, *(version.encode() for version in versions)])).hexdigest()


def _points(text: str, extra_dir: Path | None) -> list[Point]:
    return [
        Point(tuple(words), _built(RunConfig, config), extra_dir)
        for words, config in json.loads(text)
    ]


def _built(kind: Any, data: Mapping[str, Any]) -> Any:
    """A dataclass of the schema from plain data."""
    if data.keys() != {each.name for each in fields(kind)}:
        raise InputError(f"{kind.__name__} has other keys")
    hints = _hints(kind)
    return kind(**{name: _value(hints[name], value) for name, value in data.items()})


def _value(annotation: Any, value: Any) -> Any:
    if is_dataclass(annotation) and value is not None:
        return _built(annotation, value)
    inner = get_args(annotation)
    if get_origin(annotation) is list and is_dataclass(inner[0]):
        return [_built(inner[0], each) for each in value]
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
