"""ImageNet (ILSVRC 2012) in its usual folders: ``train`` and ``val`` with one folder per class.

Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", arXiv:1409.0575. Accuracy
is measured on ``val``, as all papers do: the labels of the test images are not published. If a
folder is missing and its archive is there (``ILSVRC2012_img_val.tar``), torchvision's class
extracts it; torchvision then also needs ``ILSVRC2012_devkit_t12.tar.gz``.
"""

from pathlib import Path

from qat.data.errors import DataError

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the training pixels, as published recipes have them."""
_ARCHIVES = {"train": "ILSVRC2012_img_train.tar", "val": "ILSVRC2012_img_val.tar"}


def imagenet_parts(folder: Path) -> tuple[dict[str, list[tuple[Path, int]]], tuple[str, ...]]:
    """Files and labels of train, if it is there, and of test (``val``); names of the classes.

    A class is numbered by the position of its folder in the sorted list, and named by its folder
    (``n01440764``).

    Raises:
        DataError: If ``val`` is missing or has no class folders, or train has other classes.
    """
    from torchvision.datasets import ImageFolder  # slow to import

    sets = {}
    for part in ("train", "val"):
        _extract(folder, part)
        if (folder / part).is_dir():
            try:
                sets[part] = ImageFolder(str(folder / part), allow_empty=True)
            except FileNotFoundError as error:
                raise DataError(
                    f"{folder / part}: no class folders in it; sort the images into one folder "
                    "per class (n01440764, ...), or put the archives there for torchvision"
                ) from error
    if "val" not in sets:
        raise DataError(
            f"{folder / 'val'}: no such folder; put ImageNet's folders train and val there, or "
            f"{_ARCHIVES['val']} with the devkit, or set data.path to the folder that has them"
        )
    names = tuple(sets["val"].classes)
    if "train" in sets and tuple(sets["train"].classes) != names:
        odd = sorted(set(sets["train"].classes) ^ set(names))
        raise DataError(
            f"{folder}: train and val have different classes, such as {odd[0]}; get them again"
        )
    parts = {
        part: [(Path(path), int(label)) for path, label in sets[split].samples]
        for part, split in (("train", "train"), ("test", "val"))
        if split in sets
    }
    return parts, names


def _extract(folder: Path, part: str) -> None:
    """Let torchvision extract an archive whose folder is missing."""
    if (folder / part).is_dir() or not (folder / _ARCHIVES[part]).is_file():
        return
    from torchvision.datasets import ImageNet

    try:
        ImageNet(str(folder), split=part)
    except (RuntimeError, OSError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(
            f"{folder / _ARCHIVES[part]}: torchvision cannot extract it ({reason}); get it again, "
            f"or extract it yourself into {folder / part}, one folder per class"
        ) from error
