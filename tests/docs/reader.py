"""A reader who types the commands of a page: files of the names that pages use, and few images.

Settings that only shorten a run are added to ``qat run``, unless the page sets them.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from qat.config.study_file import study_names
from qat.records.store import RECORD_NAME
from tests.docs.blocks import in_language, words_of

SHORT = (
    *("float=smoke", "trainer=smoke", "tracking=none", "tracking.figures=false"),
    *("measure.repeats=1", "measure.warmup=0"),
)
FEW = ("data.train_images=64", "data.test_images=32")
OF_FILES = {"data=folder", "data=torchvision"}
"""Data sets of which a reader here has few images."""
CLASSES, SIZE = 10, 32
PROGRAMS = Path(sys.executable).parent
_A_RUN = re.compile(r"RUN|RUN_DIR|runs/[A-Z]|[0-9a-f]{12}")

Call = Callable[[Sequence[str]], int]
"""Words after ``qat`` → exit code."""


class Reader:
    """Types commands, one after the other, in one folder.

    Args:
        home: The folder; it also gets runs, cache and data.
        qat: Carries out a command of ``qat`` in the current folder.
        programs: Folder of ``python`` and ``qat``, for lines that a shell carries out.
    """

    def __init__(self, home: Path, qat: Call, programs: Path = PROGRAMS) -> None:
        self.home, self.qat, self.programs = home, qat, programs

    def type(self, command: str) -> int:
        """Carry out one command, and return its exit code."""
        words = words_of(command)
        return RUNNERS[words[0]](self, command, words[1:])

    def run_qat(self, command: str, words: list[str]) -> int:
        """Add settings that shorten a run, and put ids for the names of runs."""
        if any(_A_RUN.fullmatch(word) for word in words):
            words = self._with_runs(words)
        if words[0] == "run":
            words += shortening(words[1:])
        return self.qat(words)

    def change_folder(self, command: str, words: list[str]) -> int:
        """As ``cd``."""
        os.chdir(words[0])
        return 0

    def ask_shell(self, command: str, words: list[str]) -> int:
        """Let bash carry out a line."""
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        line = ["bash", "-ec", command]
        return subprocess.run(line, env=os.environ | {"PATH": path}).returncode

    def _with_runs(self, words: list[str]) -> list[str]:
        """Words in which the names of runs are replaced by ids, the newest run first.

        Runs are made only if the reader has fewer than the command names.
        """
        named = sum(bool(_A_RUN.fullmatch(word)) for word in words)
        while len(ids := self._ids()) < named:
            assert self.qat(["run", *SHORT, *FEW, f"seed={len(ids) + 10}"]) == 0
        new = iter(ids)
        return [next(new) if _A_RUN.fullmatch(word) else word for word in words]

    def _ids(self) -> list[str]:
        records = (self.home / "runs").glob(f"*/{RECORD_NAME}")
        by_age = sorted(records, key=lambda path: path.stat().st_mtime, reverse=True)
        return [path.parent.name for path in by_age]


RUNNERS = {
    "qat": Reader.run_qat,
    "cd": Reader.change_folder,
    "eval": Reader.ask_shell,
    "python": Reader.ask_shell,
}
"""First word of a command → how it is carried out. Blocks with others need a mark."""


def shortening(words: Sequence[str]) -> list[str]:
    """Settings that a request leaves open and that make it short.

    Args:
        words: The words after ``qat run``.
    """
    if "--cfg" in words:
        return []
    typed = {word.partition("=")[0] for word in words}
    study = any(word.partition("=")[2] in [*study_names(), "shift_steps"] for word in words)
    more = [*SHORT, *(() if OF_FILES & set(words) else FEW)]
    more += ["scale=smoke", "seed=0"] if study else []
    return [word for word in more if word.partition("=")[0] not in typed]


def furnish(home: Path) -> None:
    """Write the files that pages name: data sets, class folders, networks, checkpoints.

    Args:
        home: The folder in which a reader works; data sets are in its ``data``.
    """
    for name, test, classes in (("cifar10", 1000, CLASSES), ("CIFAR100", 100, 100)):
        (home / "data").mkdir(exist_ok=True)
        np.savez(home / "data" / f"{name}.npz", **arrays(200, test, classes))
    for part in ("train", "test"):
        for label in range(CLASSES):
            pngs(home / "DIR" / part / f"class{label}", 3, seed=label)
        for label, name in enumerate(("cat", "dog")):
            pngs(home / "photos" / part / name, 12, seed=label)
    pngs(home / "SOME_IMAGES", 8)
    (own_network,) = in_language("python")["docs/start.md"]
    (home / "mynet.py").write_text(own_network.code)
    _checkpoints(home, own_network.code)


def arrays(train: int, test: int, classes: int = CLASSES, seed: int = 0) -> dict[str, np.ndarray]:
    """Random images and their labels in the layout of an npz file.

    Args:
        train: Number of training images.
        test: Number of test images.
        classes: Number of classes.
        seed: Of the pixels.
    """
    generator, parts = np.random.default_rng(seed), {}
    for part, count in (("train", train), ("test", test)):
        shape = (count, SIZE, SIZE, 3)
        parts[f"{part}_images"] = generator.integers(0, 256, shape, dtype=np.uint8)
        parts[f"{part}_labels"] = np.arange(count) % classes
    return parts


def pngs(folder: Path, count: int, seed: int = 0) -> None:
    """Write some random images.

    Args:
        folder: Where; it is created.
        count: How many.
        seed: Of the pixels.
    """
    from PIL import Image

    folder.mkdir(parents=True)
    for index, pixels in enumerate(arrays(count, 0, seed=seed)["train_images"]):
        Image.fromarray(pixels).save(folder / f"{index}.png")


def _checkpoints(home: Path, own_network: str) -> None:
    """State dicts of ResNet-20 and of the reader's own network."""
    import torch

    from qat.models.build import build_model

    net = build_model("builtin", "resnet20", classes=CLASSES, in_channels=3, image_size=SIZE)
    torch.save(net.state_dict(), home / "resnet20.pt")
    shutil.copy(home / "resnet20.pt", home / "resnet20-cifar10.pt")
    names: dict[str, Callable[..., torch.nn.Module]] = {}
    exec(own_network, names)
    torch.save(names["build"](2, 3).state_dict(), home / "mynet.pt")
