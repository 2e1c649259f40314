"""Names of data sets and the places of their files, read without importing torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qat.base.allowed import one_of
from qat.data.errors import DataError

NAMED = ("cifar10", "fashion_mnist")
"""Data sets with a file of YAML of their own that are kept as ``ROOT/NAME.npz``."""
OWN_NAMES = {"CIFAR10": "cifar10", "FashionMNIST": "fashion_mnist"}
"""Class of torchvision → the name that its data set has here."""


@dataclass(frozen=True)
class TorchvisionData:
    """A data set of torchvision.

    Attributes:
        what: Its images and classes, in a few words.
        folder: Folder of its image files below the data folder, as torchvision names it; None if
            the data set is converted to one .npz file.
        options: Key of ``data.options`` → the values that it takes, the default first.
        downloads: Whether torchvision downloads it.
    """

    what: str
    folder: str | None = None
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    downloads: bool = True


_SPLITS = ("balanced", "byclass", "bymerge", "letters", "digits", "mnist")
TORCHVISION_DATA: Mapping[str, TorchvisionData] = {
    "CIFAR100": TorchvisionData("50,000 train, 10,000 test, 32x32 colour, 100 classes"),
    "SVHN": TorchvisionData("73,257 train, 26,032 test, 32x32 colour, 10 classes"),
    "MNIST": TorchvisionData("60,000 train, 10,000 test, 28x28 grey, 10 classes"),
    "KMNIST": TorchvisionData("60,000 train, 10,000 test, 28x28 grey, 10 classes"),
    "EMNIST": TorchvisionData(
        "112,800 train, 18,800 test, 28x28 grey, 47 classes (other parts: data.options.split)",
        options={"split": _SPLITS},
    ),
    "STL10": TorchvisionData("5,000 train, 8,000 test, 96x96 colour, 10 classes"),
    "Flowers102": TorchvisionData(
        "1,020 train, 1,020 val, 6,149 test, files, 102 classes", "flowers-102"
    ),
    "OxfordIIITPet": TorchvisionData(
        "3,680 train, 3,669 test, files, 37 classes", "oxford-iiit-pet"
    ),
    "Food101": TorchvisionData("75,750 train, 25,250 test, files, 101 classes", "food-101"),
    "DTD": TorchvisionData(
        "1,880 train, 1,880 val, 1,880 test, files, 47 classes",
        "dtd",
        options={"partition": tuple(map(str, range(1, 11)))},
    ),
    "GTSRB": TorchvisionData("26,640 train, 12,630 test, files, 43 classes", "gtsrb"),
    "ImageNet": TorchvisionData(
        "1,281,167 train, 50,000 test (val), files, 1,000 classes", "imagenet", downloads=False
    ),
}
"""Class of torchvision → its data set, in the order in which they are listed."""
DATA_NAMES = (
    *("fashion_mini", "fashion_mnist", "cifar10", "npz", "folder", "synthetic", "user"),
    *TORCHVISION_DATA,
)
"""Everything that ``data.name`` may be."""


def check_name(name: str) -> None:
    """Refuse a name of torchvision's that is misspelt, or that another setting chooses.

    Raises:
        DataError: With the name that is right.

    Example:
        >>> check_name("cifar100")
        Traceback (most recent call last):
        ...
        qat.data.errors.DataError: no data set 'cifar100'; did you mean data.name=CIFAR100?
    """
    if name in OWN_NAMES:
        raise DataError(f"data.name={name} is data={OWN_NAMES[name]} here: write that instead")
    if name not in TORCHVISION_DATA and (meant := torchvision_name(name)) is not None:
        raise DataError(f"no data set {name!r}; did you mean data.name={meant}?")


def torchvision_name(word: str) -> str | None:
    """The data set of torchvision that a word means, in whatever case and with any dashes.

    Example:
        >>> torchvision_name("cifar-100"), torchvision_name("cifar10")
        ('CIFAR100', None)
    """
    plain = {name.lower(): name for name in TORCHVISION_DATA}
    return plain.get(word.lower().replace("-", "").replace("_", ""))


def chosen_options(name: str, options: Mapping[str, object]) -> dict[str, str]:
    """The options of a data set of torchvision, with defaults.

    Args:
        name: Of the data set.
        options: Those that were given.

    Raises:
        DataError: If the data set has no such option, or the option no such value.

    Example:
        >>> chosen_options("DTD", {"partition": 3}), chosen_options("MNIST", {})
        ({'partition': '3'}, {})
    """
    known = TORCHVISION_DATA[name].options
    for option in options:
        if option not in known:
            allowed = ", ".join(known) or "none"
            raise DataError(f"data.options.{option}: {name} has the options {allowed}; drop it")
    chosen = {option: str(options.get(option, values[0])) for option, values in known.items()}
    for option, value in chosen.items():
        one_of(f"data.options.{option}", value, known[option], DataError)
    return chosen


def file_name(name: str, options: Mapping[str, object]) -> str:
    """Name of the file or folder of a data set, in the data folder.

    Args:
        name: Of the data set.
        options: ``data.options``.

    Raises:
        DataError: If an option of a data set of torchvision is wrong.

    Example:
        >>> file_name("cifar10", {}), file_name("EMNIST", {}), file_name("DTD", {})
        ('cifar10.npz', 'EMNIST-balanced.npz', 'dtd')
    """
    if name not in TORCHVISION_DATA:
        return f"{name}.npz"
    folder = TORCHVISION_DATA[name].folder
    if folder is not None:
        return folder
    return f"{'-'.join([name, *chosen_options(name, options).values()])}.npz"


def presence(name: str, root: Path) -> tuple[str | None, str]:
    """Where the files of a named data set are, and how they come if they are missing.

    Args:
        name: Of the data set.
        root: The data folder.

    Returns:
        The files or the folder that are here, None if there are none; and how they come.
    """
    known = TORCHVISION_DATA.get(name, TorchvisionData(""))
    kept = [{}] if known.folder else [{k: v} for k, values in known.options.items() for v in values]
    places = [root / file_name(name, options) for options in kept or [{}]]
    here = ", ".join(str(place) for place in places if place.exists())
    if not known.downloads:
        return here or None, f"put train and val into {places[0]}, or set data.path=DIR"
    return here or None, "qat downloads it at the first use"
