"""Jobs that several benchmarks time: the words of ``qat run``, and what must exist before."""

import argparse
import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import _commands
from bench._commands import Taken

STATIC = ("mode=static", "quantizer@scheme.weight=minmax", "quantizer@scheme.act=minmax")
"""Calibrated, not trained."""
GRID = {
    "scheme": ["w8a8", "w6a6", "w4a4"],
    "scheme.act.symmetric": ["true", "false"],
    "scheme.weight.granularity": ["tensor", "channel"],
    "observer@scheme.act": ["minmax", "ema", "percentile", "mse"],
}
"""48 points."""
DEMONSTRATION = "demo_float,demo_w8a8_static,demo_w4a4_qat,demo_w2a2_static"
"""The experiments of ``make run``."""


@dataclass(frozen=True)
class Job:
    """A timed command, and the state that it starts from.

    Args:
        words: Of ``qat run``.
        prepare: Words of the commands before it, which are not timed.
        keeps: Folders of theirs that it finds: some of ``runs`` and ``cache``.
        returncode: With which the command ends.
    """

    words: tuple[str, ...]
    prepare: tuple[tuple[str, ...], ...] = ()
    keeps: tuple[str, ...] = ("runs", "cache")
    returncode: int = 0


def network_words(
    data: str,
    checkpoint: Path | None,
    test_images: int = 1000,
    model: str = "resnet20",
    image_size: int = 32,
) -> list[str]:
    """Words that name the images and the float network.

    Args:
        data: Name of the data set.
        checkpoint: Of the float network; without it, it is trained for one epoch.
        test_images: That the accuracy is measured on.
        model: Built in.
        image_size: Of ``synthetic``; that of CIFAR-10 by default.
    """
    words = [f"model={model}", f"data={data}", f"data.test_images={test_images}"]
    if data == "synthetic":
        words += [f"+data.options.image_size={image_size}", "data.train_images=2000"]
    if checkpoint is None:
        return [*words, "float=smoke"]
    return [*words, f"model.checkpoint={checkpoint.resolve()}"]


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options that :func:`network_of` reads."""
    parser.add_argument("--data", default="synthetic")
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--checkpoint", type=Path, help="of the float network; else one epoch")
    parser.add_argument("--test-images", type=int, default=1000)
    parser.add_argument("--image-size", type=int, default=32, help="of synthetic images")
    parser.add_argument(
        "--also", action="append", default=[], metavar="WORD", help="a word of every qat run"
    )


def network_of(args: argparse.Namespace) -> list[str]:
    """The :func:`network_words` of a command line, and what else it adds to every run."""
    sizes = (args.test_images, args.model, args.image_size)
    return [*network_words(args.data, args.checkpoint, *sizes), *args.also]


def grid_words(axes: int = len(GRID)) -> list[str]:
    """The points as one sweep; of all four axes, or of the first ones."""
    pairs = list(GRID.items())[:axes]
    return ["-m", *(f"{key}={','.join(values)}" for key, values in pairs)]


def grid_points(axes: int = len(GRID)) -> list[list[str]]:
    """Words of each of the points."""
    values = [[f"{key}={value}" for value in GRID[key]] for key in list(GRID)[:axes]]
    return [list(chosen) for chosen in itertools.product(*values)]


def jobs(network: Sequence[str], axes: int = len(GRID)) -> dict[str, Job]:
    """The jobs by name.

    Args:
        network: :func:`network_words`; the demonstration has its own.
        axes: Of the sweep.
    """
    static = (*STATIC, *network)
    train, sweep = ("mode=float", *network), (*static, *grid_words(axes))
    return {
        "refused": Job(("schem=nope",), returncode=2),
        "finished": Job(static, (static,)),
        "static": Job(static, (train, static), keeps=("cache",)),
        "demonstration": Job(("-m", f"experiment={DEMONSTRATION}")),
        "sweep": Job(sweep, (train,)),
        "sweep_again": Job(sweep, (train, sweep)),
    }


def prepared(job: Job, home: Path, checkout: Path = _commands.PROJECT) -> Path:
    """Folder with the state that the job starts from.

    Args:
        job: Whose ``prepare`` runs.
        home: Gets the folder.
        checkout: Whose code runs.
    """
    start, now = home / "start", home / "now"
    for words in job.prepare:
        _commands.run_qat(["run", *words], now, checkout)
    if job.prepare:
        now.rename(start)  # all rounds run in one folder: what is kept may depend on its path
    return start


def timed(job: Job, start: Path, checkout: Path = _commands.PROJECT) -> Taken:
    """One run of the job, from a copy of its state, which is deleted afterwards.

    Args:
        job: What runs.
        start: The state.
        checkout: Whose code runs.
    """
    now = start.with_name("now")
    for name in job.keeps:
        if (start / name).exists():
            shutil.copytree(start / name, now / name, symlinks=True)
    try:
        return _commands.run_qat(["run", *job.words], now, checkout, job.returncode)
    finally:
        shutil.rmtree(now, ignore_errors=True)
