"""The raw data that a loader returns, and the bundle that a run works with."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import torch

from qat.data.errors import DataError
from qat.data.in_memory import Images
from qat.data.preprocess import Preprocess


@dataclass(frozen=True)
class RawData:
    """A whole data set as its source has it.

    Attributes:
        train: For training; validation is cut from it if ``val`` is None. None if the source has
            only a test part.
        test: Never used for training.
        val: The source's own validation part.
        classes: Number of classes.
        mean: Published normalisation mean per channel; None if it must be measured.
        std: Published standard deviation per channel; None if it must be measured.
        notes: How files were read, as far as a user should see it, a line each.
        class_names: In the order of the labels; empty if classes have only numbers.
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
        train: For training; None if the data set has only a test part.
        val: Chooses checkpoints; None with ``val_fraction=0`` and a source that has none.
        test: Never used for training.
        classes: Number of classes.
        preprocess: Resize, crop and normalisation of every batch.
        digest: Sha256 of the images and labels of the three parts, as stored: it does not depend
            on preprocessing or device.
        calibration: Separate images for calibration; None takes those of train.
        notes: How files were read, as far as a user should see it, a line each.
        class_names: In the order of the labels; empty if classes have only numbers.
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
        """The parts that exist, by name."""
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
            DataError: If the data set has only a test part.
        """
        if self.train is None:
            raise DataError(f"data {self.name} has only a test part; give train images")
        return self.train

    @property
    def to_calibrate(self) -> Images | None:
        """Images that calibration draws from; None if the data set has only a test part."""
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
    """Sha256 over name and digest of each part.

    Args:
        train: None if there is no such part.
        val: None if there is no such part.
        test: Always there.

    Example:
        >>> from qat.data.in_memory import ImageSet
        >>> test = ImageSet(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.zeros(1).long())
        >>> bundle_digest(None, None, test)[:12]
        'bec7d607efa2'
    """
    sha = hashlib.sha256()
    for name, part in (("train", train), ("val", val), ("test", test)):
        sha.update(f"{name}:{'none' if part is None else part.digest()};".encode())
    return sha.hexdigest()
