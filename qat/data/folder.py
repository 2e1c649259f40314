"""Images in class folders, decoded batch by batch.

``DIR/train/CLASS/*.png``, ``DIR/test/CLASS/*.png`` and optionally ``DIR/val``; classes are numbered
in the order of their names. Images are grey if every file is, RGB otherwise.
"""

import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from qat.data.bundle import RawData, Request, Track
from qat.data.errors import DataError
from qat.data.in_memory import Fit, ImageSet
from qat.data.resize import fit, fitted_size

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
LAYOUT = "DIR/train/CLASS/*.png and DIR/test/CLASS/*.png"
_GREY, _COLOUR = ("1", "L"), ("RGB", "RGBA", "P", "LA", "CMYK", "YCbCr")
_READ_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
_CHUNK = 256
_CPU = torch.device("cpu")
_THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class ImageFile:
    """What is known of a file before its pixels are: path, class, content and header."""

    path: Path
    label: int
    sha256: str
    mode: str
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class FolderImages:
    """Images that stay on disk; the same face as ``ImageSet``.

    Attributes:
        files: In the order of the set.
        grey: One channel if true, three otherwise.
        fitted: Resize and crop done while reading, where files differ in size.
        device: Where decoded images go.
    """

    files: tuple[ImageFile, ...]
    grey: bool
    fitted: Fit = (None, None)
    device: torch.device = _CPU

    def __len__(self) -> int:
        """Number of images."""
        return len(self.files)

    @property
    def labels(self) -> Tensor:
        """int64 ``[N]`` on the device of the set."""
        return torch.tensor([file.label for file in self.files], device=self.device)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width after reading."""
        size = fitted_size(self.files[0].height, self.files[0].width, *self.fitted)
        return 1 if self.grey else 3, *size

    @property
    def nbytes(self) -> int:
        """Bytes the decoded images would take."""
        channels, height, width = self.image_shape
        return len(self) * channels * height * width

    def take(self, indices: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Decode the files at ``indices``, with a few threads.

        Raises:
            DataError: If a file is damaged, naming it.
        """
        if isinstance(indices, Tensor):
            files = [self.files[index] for index in indices.tolist()]
        else:
            files = list(self.files[indices])
        with ThreadPoolExecutor(_THREADS) as pool:
            images = torch.stack(list(pool.map(self._decoded, files)))
        labels = torch.tensor([file.label for file in files])
        return images.to(self.device), labels.to(self.device)

    def subset(self, indices: Tensor) -> "FolderImages":
        """The files at ``indices``, in that order."""
        return replace(self, files=tuple(self.files[index] for index in indices.tolist()))

    def to(self, device: torch.device | str) -> "FolderImages":
        """The same files, decoded onto ``device``."""
        return replace(self, device=torch.device(device))

    def digest(self) -> str:
        """Sha256 over label and content of every file; names and folders do not matter."""
        sha = hashlib.sha256()
        for file in self.files:
            sha.update(f"{file.label}:{file.sha256};".encode())
        return sha.hexdigest()

    def in_memory(self, track: Track = iter) -> ImageSet:
        """All images decoded; ``track`` may watch the parts go by."""
        parts = range(0, len(self), _CHUNK)
        taken = [self.take(slice(start, start + _CHUNK)) for start in track(parts)]
        images, labels = zip(*taken, strict=True)
        return ImageSet(torch.cat(images), torch.cat(labels), self.fitted)

    def _decoded(self, file: ImageFile) -> Tensor:
        """uint8 ``[C, H, W]`` of one file, resized and cropped if the files need it."""
        try:
            with Image.open(file.path) as image:
                pixels = np.array(image.convert("L" if self.grey else "RGB"))
        except _READ_ERRORS as error:
            raise _unreadable(file.path, error) from error
        images = torch.from_numpy(pixels.reshape(1, *pixels.shape[:2], -1)).permute(0, 3, 1, 2)
        return fit(images, *self.fitted)[0]


def load_folder(request: Request) -> RawData:
    """The class folders in ``request.path``, all headers and contents read, no pixels kept.

    Raises:
        DataError: If a folder, a class or images are missing, a file is damaged or not 8 bit, or
            sizes differ and ``resize`` and ``crop`` do not make them one.
    """
    if request.path is None:
        raise DataError(f"data=folder needs a folder: set data.path=DIR with {LAYOUT}")
    names = _class_names(request.path / "train")
    parts = [part for part in ("train", "test", "val") if _is_expected(request.path / part)]
    files = {part: _files(request.path / part, names, request.track) for part in parts}
    every = [file for part in files.values() for file in part]
    fitted = _common_fit(every, (request.resize, request.crop))
    grey = all(file.mode in _GREY for file in every)
    sets = {part: FolderImages(tuple(found), grey, fitted) for part, found in files.items()}
    return RawData(sets["train"], sets["test"], sets.get("val"), len(names))


def _is_expected(folder: Path) -> bool:
    return folder.name != "val" or folder.is_dir()


def _class_names(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; arrange images as {LAYOUT}")
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    names = sorted(path.name for path in visible if path.is_dir())
    if not names:
        raise DataError(f"{folder}: no class folder in it; arrange images as {LAYOUT}")
    return names


def _files(folder: Path, names: list[str], track: Track) -> list[ImageFile]:
    """Every image file of one part, by class, then by name."""
    if unknown := sorted(set(_class_names(folder)) - set(names)):
        raise DataError(
            f"{folder}: class {unknown[0]!r} is not in train, which has {', '.join(names[:5])}"
            f"{', ...' if len(names) > 5 else ''}; rename or remove the folder"
        )
    found = []
    for label, name in enumerate(names):
        inside = sorted((folder / name).glob("*")) if (folder / name).is_dir() else []
        images = [path for path in inside if path.suffix.lower() in SUFFIXES]
        if not images:
            raise DataError(
                f"{folder / name}: no image in it, each class needs one of {', '.join(SUFFIXES)}; "
                "add images"
            )
        found += [(path, label) for path in images]
    return [_image_file(path, label) for path, label in track(found)]


def _image_file(path: Path, label: int) -> ImageFile:
    try:
        blob = path.read_bytes()
        with Image.open(io.BytesIO(blob)) as image:
            mode, (width, height) = image.mode, image.size
    except _READ_ERRORS as error:
        raise _unreadable(path, error) from error
    if mode not in _GREY + _COLOUR:
        raise DataError(
            f"{path}: mode {mode} is not 8 bit grey or colour ({', '.join(_GREY + _COLOUR)}); "
            "convert the image"
        )
    return ImageFile(path, label, hashlib.sha256(blob).hexdigest(), mode, height, width)


def _common_fit(files: list[ImageFile], asked: Fit) -> Fit:
    """Nothing if all files are of one size, else what was asked, if that makes them one."""
    other = _odd_one_out(files, (None, None))
    if other is None:
        return None, None
    other = _odd_one_out(files, asked)
    if other is None:
        return asked
    raise DataError(
        f"images differ in size: {files[0].path} is {files[0].height}x{files[0].width}, "
        f"{other.path} {other.height}x{other.width}; set data.resize and data.crop, both to the "
        "side wanted"
    )


def _odd_one_out(files: list[ImageFile], way: Fit) -> ImageFile | None:
    """The first file that ``way`` makes another size than the first file of all."""
    size = fitted_size(files[0].height, files[0].width, *way)
    return next((f for f in files if fitted_size(f.height, f.width, *way) != size), None)


def _unreadable(path: Path, error: BaseException) -> DataError:
    text = str(error).split(" <_io.")[0]  # Pillow names the buffer, which says nothing
    reason = " ".join(f"{type(error).__name__}: {text}".split())
    return DataError(f"{path}: not a readable image ({reason}); repair or remove the file")
