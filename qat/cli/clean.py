"""``qat clean`` lists what is safe to delete; with ``--force`` it deletes it.

Safe to delete are:

- the checkpoints of a finished run (its packed file and its record stay),
- folders that contain only a lock,
- incomplete files of a process that was killed,
- damaged or incomplete cache entries.

A run that is running, interrupted or failed keeps its checkpoints, because it continues from them.

The command follows no links, because their targets may belong to something else. It checks each
path once more, under the lock of its run, immediately before it deletes the path.
"""

from collections.abc import Iterator
from pathlib import Path

from qat.base.errors import RequestError
from qat.base.exit_codes import DONE
from qat.base.plurals import counted
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

    Args:
        runs: The folder of runs; None: ``QAT_RUNS``, or ``runs``.
        cache: The folder of the cache; None: ``QAT_CACHE``, or ``cache``.
        force: Delete what is listed.

    Returns:
        The exit code.

    Raises:
        RequestError: If neither folder exists, a folder that was named does not, or one is a link.
    """
    for word, named in (("--runs", runs), ("--cache", cache)):
        if named is not None and not named.is_dir():
            raise RequestError(f"{word} {named} is not a folder: nothing to clean there")
    runs, cache = runs or default_path("runs"), cache or default_path("cache")
    for word, folder in (("--runs", runs), ("--cache", cache)):
        if folder.is_symlink():
            raise RequestError(
                f"{folder} is a link, and qat clean follows no links: name the folder itself, "
                f"qat clean {word} {folder.resolve()}"
            )
    if not runs.is_dir() and not cache.is_dir():
        raise RequestError(f"neither {runs} nor {cache} exists: nothing to clean")
    gone, total = 0, 0
    for waste in _all_waste(runs, cache):
        if force and not _deleted(waste):
            continue
        print_line(f"{waste.bytes / 2**20:9.1f} MiB  {waste.path}  ({waste.reason})")
        gone, total = gone + 1, total + waste.bytes
    hint = (
        "" if force or not gone else f"; qat clean --force deletes {'it' if gone == 1 else 'them'}"
    )
    suffix = " deleted" if force else ""
    print(f"{total / 2**20:9.1f} MiB in {counted(gone, 'place')}{suffix}{hint}")
    if links := sum(len(links_among(folder)) for folder in (runs, cache)):
        print(f"{counted(links, 'link')} in these folders: not followed")
    return DONE


def _all_waste(runs: Path, cache: Path) -> Iterator[Waste]:
    yield from waste_of_runs(runs)
    yield from waste_of_cache(cache)


def _deleted(waste: Waste) -> bool:
    """Delete it; False if a run needs it now, or if the system refuses."""
    try:
        return delete(waste)
    except OSError as error:
        complain_line(f"could not delete {waste.path}: {error.strerror or error}")
        return False
