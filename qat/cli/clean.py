"""``qat clean``: what is safe to delete, and, if told to, its deletion. Dry by default.

Safe is what a finished run does not need any more (its checkpoints: the packed file and the record
stay), folders that hold nothing but a lock, files that a process left half written when it was
killed, and cache entries that are damaged or left half made. A run that is being written, was cut
off or failed keeps its checkpoints: it goes on from them.

No link is followed: what lies behind one is somebody else's. Each thing is looked at once more,
under the lock of its run, before it is deleted.
"""

from collections.abc import Iterator
from pathlib import Path

from qat.base.errors import RequestError
from qat.base.exit_codes import DONE
from qat.base.printing import complain_line, print_line
from qat.config.yaml_files import default_path
from qat.records.waste import (
    Waste,
    delete,
    links_among,
    waste_of_cache,
    waste_of_runs,
)


def clean_command(runs: Path | None, cache: Path | None, force: bool) -> int:
    """List what is safe to delete; with ``force`` delete it.

    Raises:
        RequestError: If neither folder is there, or one of them is a link.
    """
    runs, cache = runs or default_path("runs"), cache or default_path("cache")
    for word, folder in (("--runs", runs), ("--cache", cache)):
        if folder.is_symlink():
            raise RequestError(
                f"{folder} is a link, and no link is followed: name the folder itself, "
                f"qat clean {word} {folder.resolve()}"
            )
    if not runs.is_dir() and not cache.is_dir():
        raise RequestError(f"neither {runs} nor {cache} is there: nothing to clean")
    gone, total = 0, 0
    for waste in _all_waste(runs, cache):
        if force and not _deleted(waste):
            continue
        print_line(f"{waste.bytes / 2**20:9.1f} MiB  {waste.path}  ({waste.reason})")
        gone, total = gone + 1, total + waste.bytes
    hint = "" if force or not gone else "; qat clean --force deletes them"
    words = " deleted" if force else ""
    print(f"{total / 2**20:9.1f} MiB in {gone} places{words}{hint}")
    if links := sum(len(links_among(folder)) for folder in (runs, cache)):
        print(f"{links} {'link' if links == 1 else 'links'} in these folders left alone")
    return DONE


def _all_waste(runs: Path, cache: Path) -> Iterator[Waste]:
    yield from waste_of_runs(runs)
    yield from waste_of_cache(cache)


def _deleted(waste: Waste) -> bool:
    """Delete it; False if it is needed after all, or the system refuses."""
    try:
        return delete(waste)
    except OSError as error:
        complain_line(f"{waste.path} stays: {error.strerror or error}")
        return False
