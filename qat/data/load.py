"""A data set by name: loaded, limited, split, measured, digested."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from qat.data.batches import DEFAULT_MEMORY_LIMIT
from qat.data.bundle import DataBundle, RawData, Request, Track, bundle_digest
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
"""Arguments of :func:`load_data` that may stand in ``data.options``."""
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

    Train is limited first, class by class, then validation is cut from what is left, class by
    class, unless the source has its own. Both are fixed by ``split_seed`` alone.

    Args:
        name: One of ``LOADERS``.
        root: Folder of the named data sets (``NAME.npz``).
        path: File or folder of ``npz`` and ``folder``; for a named set, its file itself.
        train_images: Limit of train, the validation part included; the size of made data.
        test_images: Limit of test; the size of made data.
        val_fraction: Share of train to validate on; 0 for none, ``val`` is then None.
        split_seed: Fixes subsets and split, and the content of made data.
        resize: Length of the shorter side, and
        crop: side of a centred square; None leaves it.
        mean: With ``std``, normalisation of pixels in 0..1, per channel or one for all; None takes
            the published values of a named set and measures train otherwise.
        std: See ``mean``.
        memory_limit: Bytes up to which a folder is decoded into memory, above it is streamed.
        classes: Number of classes, where the data do not tell; checked against labels that do.
        image_size: Of ``synthetic``.
        channels: Of ``synthetic``.
        target: ``package.module:function`` of ``user`` (see :func:`qat.data.user.load_user`).
        options: Further arguments of that function.
        calibration: Folder or .npz of images to calibrate with (:mod:`qat.data.calibration`).
        index_folder: Where facts of image files are kept, so that the next run need not read
            every file again; None keeps nothing.
        track: Shows progress of slow loops.

    Raises:
        DataError: If anything asked for or found cannot be used; the message says what to do.
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
    own, told = _calibration(calibration, raw, request, index_folder)
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
        notes=(*raw.notes, *(f"calibration: {line}" for line in told)),
        class_names=raw.class_names,
    )


def _calibration(
    path: Path | None, raw: RawData, request: Request, index_folder: Path | None
) -> tuple[Images | None, tuple[str, ...]]:
    """Images of their own to calibrate with, and what is to be told of them."""
    if path is None:
        return None, ()
    found = Path(path).expanduser()
    index, fit = _index(index_folder, found), (request.resize, request.crop)
    return load_calibration(found, raw.test, fit, index=index, track=request.track)


def _index(folder: Path | None, path: Path | str | None) -> Path | None:
    """One file for each folder of images."""
    if folder is None or path is None:
        return None
    place = str(Path(path).expanduser().resolve())
    return Path(folder) / f"{hashlib.sha256(place.encode()).hexdigest()[:24]}.json"


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
                f"train_images={request.train_images}: the data have a test part alone; leave it "
                "out (calibrate.images limits what calibration sees)"
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
    rest, val = split_fraction(raw.train.labels, fraction, seed)
    return replace(raw, train=raw.train.subset(rest), val=raw.train.subset(val))


def _in_memory_if_it_fits(raw: RawData, limit: int, track: Track) -> RawData:
    """Decode folders that are small enough, all parts taken together."""
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
    """Given values before published ones before measured ones."""
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
    """All of train, or of many streamed files a fixed balanced part."""
    if isinstance(train, FolderImages) and len(train) > _MEASURED_FILES:
        count = max(_MEASURED_FILES, len(torch.unique(train.labels)))
        return train.subset(balanced_subset(train.labels, count, 0, "mean and std"))
    return train


def _per_channel(name: str, values: Sequence[float] | float, channels: int) -> tuple[float, ...]:
    given = [values] if isinstance(values, int | float) else list(values)
    if len(given) == 1:
        given = given * channels
    if len(given) != channels:
        raise DataError(
            f"data.{name} must have 1 or {channels} values (channels), got {len(given)}: {given}"
        )
    return tuple(float(value) for value in given)
