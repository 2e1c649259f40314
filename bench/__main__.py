"""Every benchmark, each in a process of its own, and what moved since the committed reports.

    python -m bench [NAME ...] [--quick] [--force] [--out .bench]
                    [--data cifar10] [--checkpoint FILE]
    python -m bench --accept [NAME ...]

Writes ``OUT/NAME.json`` for each: figures with n and quartiles, the machine, and its load before
and after. A benchmark with a report of this commit, command and machine is not run again, unless
the files differ from the commit or ``--force`` is given: a stopped series goes on where it was.
What a benchmark compares takes turns inside its process, so that a busy spell meets all sides.

At the end, each report is compared with the committed one of ``experiments/bench``: ratios and
sizes of files on every machine, times only if CPU, cores, threads and device are the same.
``--accept`` copies the reports there and writes the page anew.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bench import readme
from bench._commands import PROJECT
from bench._compare import compare
from bench._words import without_paths
from bench.readme import COMMITTED
from bench.suite import ENTRIES, Entry
from qat.records.environment import cpu_facts, git_facts


def words_of(entry: Entry, args: argparse.Namespace) -> list[str]:
    """Words of the benchmark's command line, without ``--out``.

    Args:
        entry: Which.
        args: Of the suite.
    """
    words = [*entry.words, *(entry.quick if args.quick else ())]
    for option in entry.takes:
        value = getattr(args, option)
        if value is not None:
            words += [f"--{option}", str(value)]
    return words


def is_done(path: Path, module: str, words: Sequence[str]) -> bool:
    """Whether a report of this commit, machine and command is there, made of committed files.

    Args:
        path: Of the report.
        module: Of the benchmark.
        words: Of its command line.
    """
    if not path.exists():
        return False
    report, project = json.loads(path.read_text(encoding="utf-8")), git_facts(PROJECT)
    facts = report["machine"]
    same_files = not (project["dirty"] or facts["dirty"]) and facts["commit"] == project["commit"]
    same_words = report["command"] == without_paths(f"python -m bench.{module}", words)
    return bool(same_files and same_words and facts["cpu"] == cpu_facts()[0])


def run(name: str, args: argparse.Namespace) -> str | None:
    """Run one benchmark unless it is done; what it prints but its report comes on stderr.

    Args:
        name: Of :data:`bench.suite.ENTRIES`.
        args: Of the suite.

    Returns:
        What went wrong, or None.
    """
    entry, path = ENTRIES[name], args.out / f"{name}.json"
    words = words_of(entry, args)
    if not args.force and is_done(path, entry.module, words):
        print(f"{name}: done before, see {path}", flush=True)
        return None
    if entry.device == "cuda" and not torch.cuda.is_available():
        print(f"{name}: left out, since torch finds no CUDA device", flush=True)
        return None
    print(f"{name}: python -m bench.{entry.module} {' '.join(words)}", flush=True)
    command = [sys.executable, "-m", f"bench.{entry.module}", *words, "--out", str(path)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, cwd=PROJECT, check=False)
    return f"{name}: failed with exit status {done.returncode}" if done.returncode else None


def compared(name: str, out: Path, committed: Path) -> list[str]:
    """Lines on what moved in one benchmark.

    Args:
        name: Of the benchmark.
        out: Folder of its new report.
        committed: Folder of the old one.
    """
    new, old = out / f"{name}.json", committed / f"{name}.json"
    if not new.exists():
        return []
    if not old.exists():
        return [f"{name}: no committed report to compare with"]
    reports: list[dict[str, Any]] = [json.loads(p.read_text("utf-8")) for p in (old, new)]
    return list(compare(*reports).lines(name))


def accept(names: Sequence[str], out: Path, committed: Path) -> None:
    """Copy reports to the committed ones and write the page anew.

    Args:
        names: Of the benchmarks; those without a report are left out.
        out: Folder of the new reports.
        committed: Folder of the page.
    """
    for name in names:
        if (out / f"{name}.json").exists():
            shutil.copyfile(out / f"{name}.json", committed / f"{name}.json")
    readme.write(committed)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=_Raw
    )
    words.add_argument("names", nargs="*", help=f"default: all of {', '.join(ENTRIES)}")
    words.add_argument("--quick", action="store_true", help="small sizes: do they work?")
    words.add_argument("--force", action="store_true", help="run again what is done")
    words.add_argument("--accept", action="store_true", help="commit the reports of --out")
    words.add_argument("--out", type=Path, default=PROJECT / ".bench", help="folder of reports")
    words.add_argument("--data", help="of whole runs; default: synthetic images")
    words.add_argument("--checkpoint", type=Path, help="of ResNet-20; default: one epoch")
    words.add_argument("--committed", type=Path, default=COMMITTED, help=argparse.SUPPRESS)
    return words


def main(arguments: list[str] | None = None) -> int:
    """Run, compare, and say what failed; 1 if a benchmark did."""
    words = parser()
    args = words.parse_args(arguments)
    unknown = [name for name in args.names if name not in ENTRIES]
    if unknown:
        words.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(ENTRIES)}")
    names, args.out = args.names or list(ENTRIES), args.out.resolve()
    args.checkpoint = args.checkpoint and args.checkpoint.resolve()
    if args.accept:
        accept(names, args.out, args.committed)
        return 0
    failures = [failure for failure in (run(name, args) for name in names) if failure]
    print("\nAgainst the committed reports:")
    for name in names:
        print("\n".join(compared(name, args.out, args.committed)))
    print("\n".join(failures), file=sys.stderr)
    return 1 if failures else 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
