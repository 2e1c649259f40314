"""Which files of a folder are images, in the order of torchvision's ``ImageFolder``.

Every level below a class folder belongs to the class. Folders are gone through in the order of
their paths, the files of one folder in the order of their names.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from qat.data.image_file import suffixes

_SYSTEM = frozenset(["__macosx", "@eadir", "thumbs.db", "ehthumbs.db", "desktop.ini"])
_SHOWN = 5


@dataclass
class LeftOut:
    """Files that are not taken, counted by suffix.

    Attributes:
        suffixes: Suffix, or ``no suffix``, → files.
        odd: Entries with an image's suffix that are no plain files, or links to nothing.
    """

    suffixes: Counter[str] = field(default_factory=Counter)
    odd: int = 0

    def note(self, path: Path) -> None:
        """Count a file that is not taken."""
        self.suffixes[path.suffix.lower() or "no suffix"] += 1

    def __add__(self, other: "LeftOut") -> "LeftOut":
        """Both together."""
        return LeftOut(self.suffixes + other.suffixes, self.odd + other.odd)

    def lines(self) -> list[str]:
        """What is told of them; nothing where all was taken."""
        told = []
        if total := self.suffixes.total():
            common = self.suffixes.most_common(_SHOWN)
            kinds = ", ".join(f"{suffix} ({count})" for suffix, count in common)
            more = ", ..." if len(self.suffixes) > _SHOWN else ""
            told.append(f"{_files(total)} left out, not an image by suffix: {kinds}{more}")
        if self.odd:
            told.append(f"{_files(self.odd)} left out, not a plain file or a link to nothing")
        return told


def image_paths(folder: Path, left_out: LeftOut) -> list[Path]:
    """Every image file at any depth of a folder, in their order; others are counted.

    Files and folders that begin with a dot, and those that systems leave behind (``__MACOSX``,
    ``Thumbs.db``), are nobody's data: they are skipped.
    """
    taken = []
    for inside, names in _walk(folder):
        for path in (Path(inside) / name for name in names):
            if path.suffix.lower() not in suffixes():
                left_out.note(path)
            elif path.is_file():
                taken.append(path)
            else:
                left_out.odd += 1
    return taken


def folders_of(folder: Path) -> list[str]:
    """Names of the folders in a folder, sorted; without hidden ones."""
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not is_hidden(p.name))


def is_hidden(name: str) -> bool:
    """Whether a name begins with a dot, or is one that systems leave behind."""
    return name.startswith(".") or name.lower() in _SYSTEM


def _walk(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Folders and their visible files, both sorted; links are followed, never in a circle."""
    found = []
    for inside, folders, names in os.walk(folder, followlinks=True):
        above = {os.path.realpath(p) for p in (Path(inside), *Path(inside).parents)}
        folders[:] = [
            name
            for name in folders
            if not is_hidden(name) and os.path.realpath(Path(inside) / name) not in above
        ]
        found.append((inside, sorted(name for name in names if not is_hidden(name))))
    yield from sorted(found)


def _files(count: int) -> str:
    return f"{count:,} {'file' if count == 1 else 'files'}"
