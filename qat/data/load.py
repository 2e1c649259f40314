"""Load a data set by its name: read, limit, split, compute statistics and digest."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from qat.base.progress import Track
from qat.data.batches import DEFAULT_MEMORY_LIMIT
from qat.data.bundle import DataBundle, RawData, Request, bundle_digest
from qat.data.calibration import load_calibration
from qat.data.cifar10 import load_cifar10
from qat.data.errors import DataError
from qat.data.fashion_mini import load_fashion_mini
from qat.data.fashion_mnist import load_fashion_mnist
from qat.data.folder import load_folder
from qat.data.folder_images import FolderImages
from qat.data.in_memory import Images
from qat.data.npz import load_npz
from qat.data.preprocess import Preprocess
from qat.data.resize import fitted_size
from qat.data.split import balanced_subset, split_fraction
from qat.data.statistics import pixel_mean_std
from qat.data.synthetic import load_synthetic
from qat.data.user import load_user

LOADERS: Mapping[str, Callable[[Request], RawData]] = {
    "fashion_mini": load_fashion_mini,
    "fashion_mnist": load_fashion_mnist,
    "cifar10": load_cifar10,
    "npz": load_npz,
    "folder": load_folder,
    "synthetic": load_synthetic,
    "user": load_user,
}
_ONLY_FOR = {"image_size": ("synthetic",), "channels": ("synthetic",)}
OPTIONS = ("classes", *_ONLY_FOR)
"""Arguments of :func:`load_data` that ``data.options`` may also hold."""
_MEASURED_FILES = 10_000


def load_data(
    name: str,
    *,
    root: Path | None = None,
    path: Path | None = None,
    train_images: int | None = None,
    test_images: int | None = None,
    val_fraction: float = 0.1,
    split_seed: int = 0,
    resize: int | None = None,
    crop: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    memory_limit: int = DEFAULT_MEMORY_LIMIT,
    classes: int | None = None,
    image_size: int | None = None,
    channels: int | None = None,
    target: str | None = None,
    options: Mapping[str, Any] | None = None,
    calibration: Path | None = None,
    index_folder: Path | None = None,
    track: Track = iter,
) -> DataBundle:
    """Load a data set and make it ready for a run.

    First train is limited to ``train_images``, with equally many images of each class. Then the
    validation part is cut from it, with ``val_fraction`` of each class, unless the source has its
    own. Both choices depend on ``split_seed`` alone.

    Args:
        name: One of ``LOADERS``.
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
        target: ``package.module:function`` of ``user`` (see :func:`qat.data.user.load_user`).
        options: Further arguments of that function.
        calibration: Folder or .npz file of images for calibration (:mod:`qat.data.calibration`).
        index_folder: Keeps facts of image files, so that the next run reads only changed files;
            None keeps nothing.
        track: Shows progress of slow loops.

    Raises:
        DataError: If an argument or the data cannot be used; the message says what to do.

    Example:
        >>> data = load_data("synthetic", train_images=50, test_images=20, val_fraction=0.2)
        >>> len(data.train), len(data.val), len(data.test), data.classes
        (40, 10, 20, 10)
    """
    if name not in LOADERS:
        raise DataError(f"data must be one of {', '.join(LOADERS)}, got {name!r}")
    extras = {"classes": classes, "image_size": image_size, "channels": channels}
    _check_extras(name, extras)
    if name != "user" and (target is not None or options):
        raise DataError(f"target and options are for data user, not {name}; leave them out")
    limits = {"train_images": train_images, "test_images": test_images}
    shapes = {"resize": resize, "crop": crop, **extras}
    request = Request(
        root=_as_path(root),
        path=_as_path(path),
        seed=split_seed,
        target=target,
        options=options or {},
        index=_index(index_folder, path),
        track=track,
        **limits,
        **shapes,
    )
    raw = LOADERS[name](request)
    if classes is not None and raw.classes != classes:
        raise DataError(
            f"data.classes={classes}, but the data have {raw.classes} classes; leave data.classes "
            "out, or give the missing classes their folders or labels"
        )
    raw = _with_validation(_limited(raw, request), val_fraction, split_seed)
    digest = bundle_digest(raw.train, raw.val, raw.test)
    own, notes = _calibration(calibration, raw, request, index_folder)
    raw = _in_memory_if_it_fits(raw, memory_limit, track)
    preprocess = _preprocess(raw, mean, std, resize, crop)
    shown = name if target is None else target.rpartition(":")[2]
    return DataBundle(
        shown,
        raw.train,
        raw.val,
        raw.test,
        raw.classes,
        preprocess,
        digest,
        calibration=own,
        notes=(*raw.notes, *(f"calibration: {line}" for line in notes)),
        class_names=raw.class_names,
    )


def _calibration(
    path: Path | None, raw: RawData, request: Request, index_folder: Path | None
) -> tuple[Images | None, tuple[str, ...]]:
    """Separate images for calibration, and notes on how they were read."""
    if path is None:
        return None, ()
    source = Path(path).expanduser()
    index, fit = _index(index_folder, source), (request.resize, request.crop)
    return load_calibration(source, raw.test, fit, index=index, track=request.track)


def _index(folder: Path | None, path: Path | str | None) -> Path | None:
    """The index file of a folder of images; its name is a digest of the path."""
    if folder is None or path is None:
        return None
    resolved = str(Path(path).expanduser().resolve())
    return Path(folder) / f"{hashlib.sha256(resolved.encode()).hexdigest()[:24]}.json"


def _check_extras(name: str, extras: Mapping[str, int | None]) -> None:
    for key, value in extras.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise DataError(f"{key} must be a whole number, got {value!r}")
        if name not in _ONLY_FOR.get(key, LOADERS):
            allowed = " and ".join(_ONLY_FOR[key])
            raise DataError(f"{key}={value} is for data {allowed}, not {name}; leave it out")
        if value < 1:
            raise DataError(f"{key} must be 1 or more, got {value}")


def _as_path(path: Path | str | None) -> Path | None:
    return None if path is None else Path(path).expanduser()


def _limited(raw: RawData, request: Request) -> RawData:
    test = _subset(raw.test, request.test_images, request.seed, "test_images")
    if raw.train is None:
        if request.train_images is not None:
            raise DataError(
                f"train_images={request.train_images}: the data have only a test part; leave it "
                "out (calibrate.images limits the images for calibration)"
            )
        return replace(raw, test=test)
    train = _subset(raw.train, request.train_images, request.seed, "train_images")
    return replace(raw, train=train, test=test)


def _subset(images: Images, count: int | None, seed: int, purpose: str) -> Images:
    if count is None or count == len(images):
        return images
    return images.subset(balanced_subset(images.labels, count, seed, purpose))


def _with_validation(raw: RawData, fraction: float, seed: int) -> RawData:
    if raw.train is None or raw.val is not None or fraction == 0:
        return raw
    train, val = split_fraction(raw.train.labels, fraction, seed)
    return replace(raw, train=raw.train.subset(train), val=raw.train.subset(val))


def _in_memory_if_it_fits(raw: RawData, limit: int, track: Track) -> RawData:
    """Decode folders if all parts together need at most ``limit`` bytes."""
    parts = [part for part in (raw.train, raw.val, raw.test) if isinstance(part, FolderImages)]
    if not parts or sum(part.nbytes for part in parts) > limit:
        return raw

    def decoded(part: Images | None) -> Images | None:
        return part.in_memory(track) if isinstance(part, FolderImages) else part

    test = decoded(raw.test)
    assert test is not None
    return replace(raw, train=decoded(raw.train), val=decoded(raw.val), test=test)


def _preprocess(
    raw: RawData,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    resize: int | None,
    crop: int | None,
) -> Preprocess:
    """The user's mean and std, else the published ones, else those of train."""
    channels, height, width = raw.test.image_shape
    if raw.test.fitted == (None, None):
        fitted_size(height, width, resize, crop)
    known_mean, known_std = raw.mean, raw.std
    if known_mean is None and (mean is None or std is None):
        if raw.train is None:
            raise DataError(
                "without train images mean and std cannot be measured: set data.mean and data.std "
                "to those that the float network was trained with"
            )
        known_mean, known_std = pixel_mean_std(_measured(raw.train))
    chosen_mean = known_mean if mean is None else _per_channel("mean", mean, channels)
    chosen_std = known_std if std is None else _per_channel("std", std, channels)
    assert chosen_mean is not None
    assert chosen_std is not None
    return Preprocess(chosen_mean, chosen_std, resize, crop)


def _measured(train: Images) -> Images:
    """The images for mean and std: all of train, or a fixed balanced part of many files."""
    if isinstance(train, FolderImages) and len(train) > _MEASURED_FILES:
        count = max(_MEASURED_FILES, len(torch.unique(train.labels)))
        return train.subset(balanced_subset(train.labels, count, 0, "mean and std"))
    return train


def _per_channel(name: str, values: Sequence[float] | float, channels: int) -> tuple[float, ...]:
    numbers = [values] if isinstance(values, int | float) else list(values)
    if len(numbers) == 1:
        numbers = numbers * channels
    if len(numbers) != channels:
        raise DataError(
            f"data.{name} must have 1 or {channels} values (channels), got {len(numbers)}: "
            f"{numbers}; give one value, or one per channel"
        )
    return tuple(float(value) for value in numbers)
