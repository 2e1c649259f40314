"""The command of a report as another machine can give it: without folders of this one."""

from collections.abc import Sequence
from pathlib import Path


def without_paths(command: str, words: Sequence[str]) -> str:
    """``command`` and its words; of absolute paths only the name is left, and no ``--out FILE``.

    Args:
        command: Such as ``python -m bench.step``.
        words: Of its command line.

    Example:
        >>> without_paths("it", ["--checkpoint", "/home/me/net.pt", "--out", "x.json"])
        'it --checkpoint net.pt'
    """
    kept = list(words)
    while "--out" in kept:
        place = kept.index("--out")
        del kept[place : place + 2]
    parts = [_without_path(word) for word in kept]
    return " ".join([command, *parts])


def _without_path(word: str) -> str:
    name, equals, value = word.partition("=")
    path = value if equals else name
    short = Path(path).name if Path(path).is_absolute() else path
    return f"{name}={short}" if equals else short
