"""Images that stay in their files, decoded batch by batch."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from qat.base.progress import Track
from qat.data.in_memory import Fit, ImageSet
from qat.data.labels import is_labelled
from qat.data.resize import fit, fitted_size
from qat.data.sources.image_file import ImageFacts, read_pixels
from qat.data.transfer import to_device

_CHUNK = 256
_CPU = torch.device("cpu")
THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class ImageFile:
    """An image on disk.

    Attributes:
        path: Of the file.
        label: Its class; -1 for none.
        facts: What reading the file once has shown.
    """

    path: Path
    label: int
    facts: ImageFacts

    @property
    def size(self) -> tuple[int, int]:
        """Height and width after the EXIF orientation is applied."""
        return self.facts.height, self.facts.width


@dataclass(frozen=True, eq=False)
class FolderImages:
    """Images that stay on disk, with the interface of ``ImageSet``.

    Attributes:
        files: In the order of the set.
        grey: One channel if true, three otherwise.
        fitted: Resize and crop that reading applies, if files differ in size.
        device: Of the decoded images.
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
    def labelled(self) -> bool:
        """Whether each image has a class."""
        return is_labelled(self.labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width after reading."""
        size = fitted_size(*self.files[0].size, *self.fitted)
        return 1 if self.grey else 3, *size

    @property
    def nbytes(self) -> int:
        """Bytes that the decoded images would take."""
        channels, height, width = self.image_shape
        return len(self) * channels * height * width

    def take(self, indices: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Decode the files at ``indices``, with a few threads.

        Raises:
            DataError: If a file is damaged; the message names it.
        """
        if isinstance(indices, Tensor):
            files = [self.files[index] for index in indices.tolist()]
        else:
            files = list(self.files[indices])
        with ThreadPoolExecutor(THREADS) as pool:
            images = torch.stack(list(pool.map(self._decoded, files)))
        labels = torch.tensor([file.label for file in files])
        return to_device(images, self.device), to_device(labels, self.device)

    def subset(self, indices: Tensor) -> "FolderImages":
        """The files at ``indices``, in that order."""
        return replace(self, files=tuple(self.files[index] for index in indices.tolist()))

    def to(self, device: torch.device | str) -> "FolderImages":
        """The same files, decoded onto ``device``."""
        return replace(self, device=torch.device(device))

    def digest(self) -> str:
        """Sha256 over label and content of every file; file names do not matter."""
        sha = hashlib.sha256()
        for file in self.files:
            sha.update(f"{file.label}:{file.facts.sha256};".encode())
        return sha.hexdigest()

    def in_memory(self, track: Track = iter) -> ImageSet:
        """Decode all images; ``track`` shows progress."""
        parts = range(0, len(self), _CHUNK)
        chunks = [self.take(slice(start, start + _CHUNK)) for start in track(parts)]
        images, labels = zip(*chunks, strict=True)
        return ImageSet(torch.cat(images), torch.cat(labels), self.fitted)

    def _decoded(self, file: ImageFile) -> Tensor:
        """uint8 ``[C, H, W]`` of one file, resized and cropped if the files need it."""
        pixels = torch.from_numpy(read_pixels(file.path, self.grey, file.facts.turn))
        return fit(pixels.unsqueeze(0).permute(0, 3, 1, 2), *self.fitted)[0]
