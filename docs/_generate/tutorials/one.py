"""Run one tutorial in this process: its output and its figures are written or compared."""

import argparse
import contextlib
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from docs._generate.tutorials.compare import differences, footer, without_footer
from docs._generate.tutorials.execute import THREADS, TutorialError, executed
from docs._generate.tutorials.folder import copy_figures, missing_figures, page_path
from docs._generate.tutorials.page import PageError


def main(words: list[str]) -> int:
    """Run the page that is named; the exit code is 1 if it fails, or differs from its text."""
    parser = argparse.ArgumentParser(prog="python -m docs._generate.tutorials.one")
    parser.add_argument("name")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args(words)
    try:
        return _run(arguments.name, arguments.check, arguments.keep)
    except (PageError, TutorialError) as error:
        print(f"{arguments.name}: {error}", file=sys.stderr)
        return 1


def machine() -> str:
    """What the numbers of a page depend on."""
    import torch

    capability = torch.backends.cpu.get_cpu_capability()
    libraries = f"QATLab {version('qatlab')} and torch {version('torch')}"
    return f"{THREADS} thread of a CPU with {capability}, with {libraries}"


def _run(name: str, is_check: bool, keep: bool) -> int:
    committed = page_path(name).read_text(encoding="utf-8")
    with _new_folder(name, keep) as folder:
        page = executed(without_footer(committed), folder, report=_report) + footer(machine())
        if missing := missing_figures(page, name, folder):
            raise PageError(f"no command has written {', '.join(missing)}")
        if is_check:
            return _compare(name, differences(committed, page))
        page_path(name).write_text(page, encoding="utf-8")
        copy_figures(page, name, folder)
    print(f"{name}: {_cpu_seconds():.0f} s of CPU time, written to {page_path(name)}")
    return 0


def _compare(name: str, lines: list[str]) -> int:
    print("\n".join(lines) or f"{name}: {_cpu_seconds():.0f} s of CPU time, the output is equal")
    return 1 if lines else 0


def _report(line: str) -> None:
    print(line, flush=True)


def _cpu_seconds() -> float:
    """Of this process and of all commands; the time on a clock depends on what else runs."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@contextlib.contextmanager
def _new_folder(name: str, keep: bool) -> Iterator[Path]:
    """A new folder, which becomes the current one and is searched for modules."""
    above = Path(tempfile.mkdtemp(prefix="tutorial-"))
    folder = above / name
    folder.mkdir()
    sys.path.insert(0, str(folder))
    try:
        with contextlib.chdir(folder):
            yield folder
    finally:
        if keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(above)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
