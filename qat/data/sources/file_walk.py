"""The image files of a folder, in the order of torchvision's ``ImageFolder``.

Every level below a class folder belongs to the class. Folders are visited in the order of their
paths, the files of one folder in the order of their names.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from qat.base.plurals import counted
from qat.data.sources.image_file import suffixes

_SYSTEM = frozenset(["__macosx", "@eadir", "thumbs.db", "ehthumbs.db", "desktop.ini"])
_SHOWN = 5


@dataclass
class LeftOut:
    """Files that are not read, counted by suffix.

    Attributes:
        suffixes: Suffix, or ``no suffix``, → number of files.
        odd: Number of entries with an image's suffix that are no plain files or are broken links.
    """

    suffixes: Counter[str] = field(default_factory=Counter)
    odd: int = 0

    def note(self, path: Path) -> None:
        """Count a file that is not read."""
        self.suffixes[path.suffix.lower() or "no suffix"] += 1

    def __add__(self, other: "LeftOut") -> "LeftOut":
        """The sum of both counts."""
        return LeftOut(self.suffixes + other.suffixes, self.odd + other.odd)

    def lines(self) -> list[str]:
        """A note for each kind of file that is not read; empty if every file is.

        Example:
            >>> left_out = LeftOut()
            >>> left_out.note(Path("train/ant/README.md"))
            >>> left_out.lines()
            ['1 file left out, not an image by suffix: .md (1)']
        """
        notes = []
        if total := self.suffixes.total():
            common = self.suffixes.most_common(_SHOWN)
            kinds = ", ".join(f"{suffix} ({count})" for suffix, count in common)
            more = ", ..." if len(self.suffixes) > _SHOWN else ""
            notes.append(
                f"{counted(total, 'file', ',')} left out, not an image by suffix: {kinds}{more}"
            )
        if self.odd:
            notes.append(
                f"{counted(self.odd, 'file', ',')} left out, not a plain file or a link to nothing"
            )
        return notes


def image_paths(folder: Path, left_out: LeftOut) -> list[Path]:
    """Every image file at any depth of a folder, in the order of ``ImageFolder``.

    Files and folders whose names begin with a dot, and those that operating systems create
    (``__MACOSX``, ``Thumbs.db``), are skipped and not counted.

    Args:
        folder: To search.
        left_out: Counts the other files; changed in place.
    """
    images = []
    for inside, names in _walk(folder):
        for path in (Path(inside) / name for name in names):
            if path.suffix.lower() not in suffixes():
                left_out.note(path)
            elif path.is_file():
                images.append(path)
            else:
                left_out.odd += 1
    return images


def folders_of(folder: Path) -> list[str]:
    """Names of the folders in a folder, sorted, without hidden ones."""
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not is_hidden(p.name))


def is_hidden(name: str) -> bool:
    """Whether a name begins with a dot or is one that operating systems create."""
    return name.startswith(".") or name.lower() in _SYSTEM


def _walk(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Folders and their visible files, both sorted; links are followed, but never in a circle."""
    visited = []
    for inside, folders, names in os.walk(folder, followlinks=True):
        above = {os.path.realpath(p) for p in (Path(inside), *Path(inside).parents)}
        folders[:] = [
            name
            for name in folders
            if not is_hidden(name) and os.path.realpath(Path(inside) / name) not in above
        ]
        visited.append((inside, sorted(name for name in names if not is_hidden(name))))
    yield from sorted(visited)
