"""Jobs that several benchmarks time: the words of ``qat run``, and what must exist before."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STATIC = (
    *("mode=static", "model=resnet20"),
    *("quantizer@scheme.weight=minmax", "quantizer@scheme.act=minmax"),
)
"""ResNet-20, calibrated, not trained."""
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


def data_words(data: str, checkpoint: Path | None, test_images: int = 1000) -> list[str]:
    """Words that name the images and the float network.

    Args:
        data: Name of the data set; images of ``synthetic`` are as large as those of CIFAR-10.
        checkpoint: Of the float network; without it, it is trained for one epoch.
        test_images: That the accuracy is measured on.
    """
    words = [f"data={data}", f"data.test_images={test_images}"]
    if data == "synthetic":
        words += ["+data.options.image_size=32", "data.train_images=2000"]
    if checkpoint is None:
        return [*words, "float=smoke"]
    return [*words, f"model.checkpoint={checkpoint.resolve()}"]


def grid_words() -> list[str]:
    """The 48 points as one sweep."""
    return ["-m", *(f"{key}={','.join(values)}" for key, values in GRID.items())]


def grid_points() -> list[list[str]]:
    """Words of each of the 48 points."""
    axes = [[f"{key}={value}" for value in values] for key, values in GRID.items()]
    return [list(chosen) for chosen in itertools.product(*axes)]


def jobs(common: Sequence[str]) -> dict[str, Job]:
    """The jobs by name.

    Args:
        common: :func:`data_words`; the demonstration has its own images.
    """
    static = (*STATIC, *common)
    train, sweep = (*static, "mode=float"), (*static, *grid_words())
    return {
        "refused": Job(("schem=nope",), returncode=2),
        "finished": Job(static, (static,)),
        "static": Job(static, (train, static), keeps=("cache",)),
        "demonstration": Job(("-m", f"experiment={DEMONSTRATION}")),
        "sweep": Job(sweep, (train,)),
        "sweep_again": Job(sweep, (train, sweep)),
    }
