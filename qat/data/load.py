"""Load a data set by its name: read, limit, split, compute statistics and digest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch

from qat.base.progress import Track
from qat.data.bundle import DataBundle, RawData, bundle_digest
from qat.data.calibration import load_calibration
from qat.data.errors import DataError
from qat.data.in_memory import Images
from qat.data.names import TORCHVISION_DATA, check_name
from qat.data.preprocess import Preprocess
from qat.data.request import DataRequest
from qat.data.resize import fitted_size
from qat.data.sources.cifar10 import load_cifar10
from qat.data.sources.fashion_mini import load_fashion_mini
from qat.data.sources.fashion_mnist import load_fashion_mnist
from qat.data.sources.folder import load_folder
from qat.data.sources.folder_images import FolderImages
from qat.data.sources.npz import load_npz
from qat.data.sources.synthetic import load_synthetic
from qat.data.sources.torchvision_arrays import load_torchvision_arrays
from qat.data.sources.torchvision_files import load_torchvision_files
from qat.data.sources.user import load_user
from qat.data.split import balanced_subset, split_fraction
from qat.data.statistics import pixel_mean_std

LOADERS: Mapping[str, Callable[[DataRequest], RawData]] = {
    "fashion_mini": load_fashion_mini,
    "fashion_mnist": load_fashion_mnist,
    "cifar10": load_cifar10,
    "npz": load_npz,
    "folder": load_folder,
    "synthetic": load_synthetic,
    "user": load_user,
    **{
        name: load_torchvision_arrays if known.folder is None else load_torchvision_files
        for name, known in TORCHVISION_DATA.items()
    },
}
_ONLY_FOR = {"image_size": ("synthetic",), "channels": ("synthetic",)}
OPTIONS = ("classes", *_ONLY_FOR)
"""Fields of a request that ``data.options`` may also hold."""
_MEASURED_FILES = 10_000


def load_data(request: DataRequest) -> DataBundle:
    """Load a data set and make it ready for a run.

    First train is limited to ``train_images``, with equally many images of each class. Then the
    validation part is cut from it, with ``val_fraction`` of each class, unless the source has its
    own. Both choices depend on ``split_seed`` alone.

    Raises:
        DataError: If the request or the data cannot be used; the message says what to do.

    Example:
        >>> request = DataRequest("synthetic", train_images=50, test_images=20, val_fraction=0.2)
        >>> data = load_data(request)
        >>> len(data.train), len(data.val), len(data.test), data.classes
        (40, 10, 20, 10)
    """
    _check(request)
    raw = LOADERS[request.name](request)
    _check_classes(request, raw)
    raw = _with_validation(_limited(raw, request), request.val_fraction, request.split_seed)
    digest = bundle_digest(raw.train, raw.val, raw.test)
    calibration, notes = _calibration(request, raw)
    raw = _in_memory_if_it_fits(raw, request.memory_limit, request.track)
    target = request.target
    return DataBundle(
        request.name if target is None else target.rpartition(":")[2],
        raw.train,
        raw.val,
        raw.test,
        raw.classes,
        _preprocess(raw, request),
        digest,
        calibration=calibration,
        notes=(*raw.notes, *(f"calibration: {line}" for line in notes)),
        class_names=raw.class_names,
    )


def _calibration(request: DataRequest, raw: RawData) -> tuple[Images | None, tuple[str, ...]]:
    """Separate images for calibration, and notes on how they were read."""
    source = request.calibration
    if source is None:
        return None, ()
    index, fit = request.index(source), (request.resize, request.crop)
    return load_calibration(source, raw.test, fit, index=index, track=request.track)


def _check(request: DataRequest) -> None:
    name = request.name
    check_name(name)
    if name not in LOADERS:
        raise DataError(f"data must be one of {', '.join(LOADERS)}, got {name!r}")
    _check_extras(name, {key: getattr(request, key) for key in OPTIONS})
    if name != "user" and request.target is not None:
        raise DataError(f"target is for data user, not {name}; leave it out")
    if name not in ("user", *TORCHVISION_DATA) and request.options:
        raise DataError(f"options are for data user and torchvision, not {name}; leave them out")


def _check_classes(request: DataRequest, raw: RawData) -> None:
    if request.classes is not None and raw.classes != request.classes:
        raise DataError(
            f"data.classes={request.classes}, but the data have {raw.classes} classes; leave "
            "data.classes out, or give the missing classes their folders or labels"
        )


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


def _limited(raw: RawData, request: DataRequest) -> RawData:
    test = _subset(raw.test, request.test_images, request.split_seed, "test_images")
    if raw.train is None:
        if request.train_images is not None:
            raise DataError(
                f"train_images={request.train_images}: the data have only a test part; leave it "
                "out (calibrate.images limits the images for calibration)"
            )
        return replace(raw, test=test)
    train = _subset(raw.train, request.train_images, request.split_seed, "train_images")
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


def _preprocess(raw: RawData, request: DataRequest) -> Preprocess:
    """The user's mean and std, else the published ones, else those of train."""
    mean, std, resize, crop = request.mean, request.std, request.resize, request.crop
    channels, height, width = raw.test.image_shape
    if raw.test.fitted == (None, None):
        fitted_size(height, width, resize, crop)
    known_mean, known_std = raw.mean, raw.std
    if known_mean is None and (mean is None or std is None):
        if raw.train is None:
            raise DataError(
                "the data have only a test part, and mean and std are measured on train images: "
                "set data.mean and data.std to those that the float network was trained with, or "
                "give train images"
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
