"""What loaders are asked for, what they give, and what a run gets in the end."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from qat.base.progress import Track
from qat.data.errors import DataError
from qat.data.in_memory import Images
from qat.data.preprocess import Preprocess

"""Wraps an iterable to show progress."""


@dataclass(frozen=True)
class Request:
    """What a loader may need to know; most need little of it.

    Attributes:
        root: Folder of the named data sets.
        path: A file or folder of the user's own.
        classes: Number of classes, where data cannot tell or must not decide.
        train_images: Images of train, for data that is made to order.
        test_images: Images of test, likewise.
        image_size: Height and width of made images.
        channels: Channels of made images.
        seed: Of made images.
        resize: Length of the shorter side, for files of different sizes.
        crop: Side of the centred square, likewise.
        target: ``package.module:function`` of the user's.
        options: Further arguments of that function.
        index: Where facts of image files are kept between runs; None keeps nothing.
        track: Shows progress.
    """

    root: Path | None = None
    path: Path | None = None
    classes: int | None = None
    train_images: int | None = None
    test_images: int | None = None
    image_size: int | None = None
    channels: int | None = None
    seed: int = 0
    resize: int | None = None
    crop: int | None = None
    target: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    index: Path | None = None
    track: Track = iter


@dataclass(frozen=True)
class RawData:
    """A data set as its source has it, whole.

    Attributes:
        train: For training; validation is cut from it where ``val`` is None. None where the
            source has a test part alone.
        test: Kept from training.
        val: The source's own validation part.
        classes: Number of classes.
        mean: Published normalisation per channel; None if it is to be measured.
        std: Likewise.
        notes: What a user should know of how files were read, a line each.
        class_names: In the order of the labels; empty where classes have numbers alone.
    """

    train: Images | None
    test: Images
    val: Images | None
    classes: int
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    notes: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataBundle:
    """A data set, ready for a run.

    Attributes:
        name: Of the data set.
        train: For training; None where the data set has a test part alone.
        val: Chooses checkpoints; None with ``val_fraction=0`` and a source that has none.
        test: Is never given to training.
        classes: Number of classes.
        preprocess: Resize, crop and normalisation of every batch.
        digest: Sha256 of the images and labels of the three parts, as stored: it does not depend
            on preprocessing or device.
        calibration: Images of their own to calibrate with; None takes those of train.
        notes: What a user should know of how files were read, a line each.
        class_names: In the order of the labels; empty where classes have numbers alone.
    """

    name: str
    train: Images | None
    val: Images | None
    test: Images
    classes: int
    preprocess: Preprocess
    digest: str
    calibration: Images | None = None
    notes: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, Images]:
        """The parts that there are, by name."""
        every = {
            "train": self.train,
            "val": self.val,
            "test": self.test,
            "calibration": self.calibration,
        }
        return {name: images for name, images in every.items() if images is not None}

    @property
    def training(self) -> Images:
        """The images of train.

        Raises:
            DataError: If the data set has a test part alone.
        """
        if self.train is None:
            raise DataError(f"data {self.name} has a test part alone; give train images")
        return self.train

    @property
    def to_calibrate(self) -> Images | None:
        """What calibration draws from; None where the data set has a test part alone."""
        return self.train if self.calibration is None else self.calibration

    @property
    def mean(self) -> tuple[float, ...]:
        """Normalisation mean per channel, of pixels scaled to 0..1."""
        return self.preprocess.mean

    @property
    def std(self) -> tuple[float, ...]:
        """Normalisation standard deviation per channel."""
        return self.preprocess.std

    def to(self, device: torch.device | str) -> "DataBundle":
        """The same data on ``device``."""
        moved: dict[str, Any] = {name: part.to(device) for name, part in self.parts.items()}
        return replace(self, **moved)


def bundle_digest(train: Images | None, val: Images | None, test: Images) -> str:
    """Sha256 over the digests of the parts and which part each is."""
    sha = hashlib.sha256()
    for name, part in (("train", train), ("val", val), ("test", test)):
        sha.update(f"{name}:{'none' if part is None else part.digest()};".encode())
    return sha.hexdigest()
