"""Whole commands of this checkout against those of another commit, in turns on one machine.

    python -m bench.against [--jobs static demonstration sweep] [--commit 901a4c5] [--rounds 5]
                            [--data cifar10 --checkpoint FILE] [--checkout FOLDER] [--out FILE]
    python -m bench.against --rounds 5 -- mode=static model=simple_cnn data=synthetic

The commit gets a git worktree in a temporary folder. Both sides run the same words of ``qat run``,
each with runs and cache of its own. What a job starts from is made by the same side and copied
before every round, so that all rounds start from the same state:

    static         one static run of ResNet-20, 1,000 test images; float network and calibration in
                   the cache
    demonstration  the experiments of ``make run``, nothing there before
    sweep          48 static points; the float network is there, calibrations are not
    sweep_again    the same sweep, finished, asked for once more
    finished       a finished run, asked for once more
    refused        a wrong word

Words after ``--`` are a job too, ``words``, which finds nothing; ``--prepare WORDS`` (one string,
repeatable) runs before it, and ``--keep runs cache`` says what it finds of that. Paths in words are
absolute. ``ratio`` is this checkout's wall time over that of the commit in the same round,
``user_ratio`` the same in user CPU seconds. One round before them is not timed.
"""

import argparse
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench._commands import PROJECT, Taken
from bench._jobs import Job, add_network, jobs, network_of, prepared, timed
from bench._report import paired_ratio, spread, write_report

REFERENCE = "901a4c5"
SIDES = ("reference", "checkout")


@contextmanager
def worktree(commit: str, folder: Path, project: Path = PROJECT) -> Iterator[Path]:
    """A checkout of a commit, taken away at the end.

    Args:
        commit: Of the repository of ``project``.
        folder: In which the checkout is made.
        project: A checkout of the same repository.
    """
    path = folder / f"worktree-{commit}"
    git = ["git", "-C", str(project), "worktree"]
    subprocess.run([*git, "add", "--detach", path, commit], check=True, capture_output=True)
    try:
        yield path
    finally:
        subprocess.run([*git, "remove", "--force", path], check=True, capture_output=True)


def measure(
    job: Job, checkouts: dict[str, Path], rounds: int, warmup: int, folder: Path
) -> dict[str, Any]:
    """Times of both sides and their ratios.

    Args:
        job: What both run.
        checkouts: Of ``reference`` and ``checkout``.
        rounds: Timed rounds; the side that begins changes from round to round.
        warmup: Rounds before those.
        folder: For runs and caches.
    """
    starts = {side: prepared(job, folder / side, checkouts[side]) for side in SIDES}
    taken: dict[str, list[Taken]] = {side: [] for side in SIDES}
    for number in range(-warmup, rounds):
        for side in SIDES if number % 2 else SIDES[::-1]:
            time = timed(job, starts[side], checkouts[side])
            if number >= 0:
                taken[side].append(time)
    return {"words": shlex.join(job.words), **figures(taken["checkout"], taken["reference"])}


def figures(checkout: Sequence[Taken], reference: Sequence[Taken]) -> dict[str, Any]:
    """Spreads of the times, and of the ratios round by round.

    Args:
        checkout: Times of this checkout.
        reference: Those of the other commit.
    """
    sides = {"checkout": checkout, "reference": reference}
    results = {
        f"{side}_{key}": spread([asdict(time)[key] for time in times])
        for side, times in sides.items()
        for key in ("wall_s", "user_s", "system_s")
    }
    for name, key in (("ratio", "wall_s"), ("user_ratio", "user_s")):
        pairs = [[asdict(time)[key] for time in times] for times in (checkout, reference)]
        results[name] = paired_ratio(*pairs)
    return results


def chosen_jobs(args: argparse.Namespace) -> dict[str, Job]:
    """The jobs that are asked for, by name."""
    if args.words:
        prepare = tuple(tuple(shlex.split(words)) for words in args.prepare)
        return {"words": Job(tuple(args.words), prepare, tuple(args.keep))}
    every = jobs(network_of(args))
    return {name: every[name] for name in args.jobs}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    words.add_argument("words", nargs="*", help="of qat run, after --")
    words.add_argument("--jobs", nargs="+", choices=list(jobs([])), default=["static"])
    words.add_argument("--prepare", action="append", default=[], metavar="WORDS")
    words.add_argument("--keep", nargs="+", choices=["runs", "cache"], default=["cache"])
    words.add_argument("--commit", default=REFERENCE)
    words.add_argument("--checkout", type=Path, default=PROJECT, help="default: this one")
    add_network(words)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--warmup", type=int, default=1)
    words.add_argument("--out", type=Path, help="also write the JSON here")
    return words


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    args = parser().parse_args(arguments)
    results: dict[str, Any] = {"reference_commit": args.commit}
    with tempfile.TemporaryDirectory() as folder, worktree(args.commit, Path(folder)) as other:
        checkouts = {"reference": other, "checkout": args.checkout.resolve()}
        for name, job in chosen_jobs(args).items():
            home = Path(folder) / name
            results[name] = measure(job, checkouts, args.rounds, args.warmup, home)
    write_report("against", results, args.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
