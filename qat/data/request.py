"""Which data set is loaded, and how it is cut and normalised."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qat.base.progress import Track
from qat.data.batches import DEFAULT_MEMORY_LIMIT


@dataclass(frozen=True)
class DataRequest:
    """A data set by its name; each loader reads only some of the fields.

    Attributes:
        name: One of :data:`qat.data.load.LOADERS`.
        root: Folder of the named data sets (``NAME.npz``).
        path: File or folder of ``npz`` and ``folder``; for a named set, its file itself.
        train_images: Limit of train, the validation part included; for ``synthetic``, the number
            of images to generate. None takes all.
        test_images: Limit of test; for ``synthetic``, the number of images to generate. None takes
            all.
        val_fraction: Share of train to validate on; with 0 there is no validation part.
        split_seed: Fixes subsets, split and the content of synthetic data.
        resize: Length of the shorter side in pixels; None keeps the size.
        crop: Side of a centred square in pixels; None keeps all.
        mean: Of pixels scaled to 0..1, per channel or one for all; None takes the published values
            of a named set and otherwise computes them from train.
        std: Standard deviation, as ``mean``.
        memory_limit: Bytes up to which a folder is decoded into memory; a larger one is streamed.
        classes: Number of classes, if the data have no labels; otherwise it must agree with them.
        image_size: Height and width of ``synthetic`` images.
        channels: Channels of ``synthetic`` images.
        target: ``package.module:function`` of ``user``
            (see :func:`qat.data.sources.user.load_user`).
        options: Further arguments of that function.
        calibration: Folder or .npz file of images for calibration (:mod:`qat.data.calibration`).
        index_folder: Keeps facts of image files, so that the next run reads only changed files;
            None keeps nothing.
        track: Shows progress of slow loops.

    Example:
        >>> DataRequest("synthetic", train_images=50, classes=4).val_fraction
        0.1
    """

    name: str
    root: Path | None = None
    path: Path | None = None
    train_images: int | None = None
    test_images: int | None = None
    val_fraction: float = 0.1
    split_seed: int = 0
    resize: int | None = None
    crop: int | None = None
    mean: Sequence[float] | float | None = None
    std: Sequence[float] | float | None = None
    memory_limit: int = DEFAULT_MEMORY_LIMIT
    classes: int | None = None
    image_size: int | None = None
    channels: int | None = None
    target: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    calibration: Path | None = None
    index_folder: Path | None = None
    track: Track = iter

    def __post_init__(self) -> None:
        """Take text for a path, and the home folder for ``~``."""
        for name in ("root", "path", "calibration"):
            if (path := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(path).expanduser())

    def index(self, folder: Path | None) -> Path | None:
        """The index file of a folder of images; its name is a digest of the folder's path.

        Args:
            folder: Of images; None has no index.
        """
        if self.index_folder is None or folder is None:
            return None
        resolved = str(folder.expanduser().resolve())
        return self.index_folder / f"{hashlib.sha256(resolved.encode()).hexdigest()[:24]}.json"
