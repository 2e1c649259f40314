"""One image file: what it is, whether it is whole, and its pixels as 8-bit grey or colour.

What becomes of files that are not plain 8-bit grey or colour (each is counted and told once):

- An EXIF orientation is applied, as viewers do (Exif 2.32, tag 0x0112).
- Transparent pixels are laid on white.
- A channel of 16 bits keeps its high byte, as Pillow reads 16-bit colour.
- CMYK becomes RGB by Pillow's formula, without a colour profile.
- Of several frames the first is taken.
- A palette becomes its colours, exactly.
"""

import hashlib
import io
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from qat.data.errors import DataError

GREY = ("1", "L", "LA", "La", "I;16", "I;16L", "I;16B", "I;16N", "I")
COLOUR = ("RGB", "RGBA", "RGBa", "RGBX", "P", "PA", "CMYK", "YCbCr", "HSV")
TURNED, ALPHA, DEEP, CMYK, FRAMES = "turned", "alpha", "deep", "cmyk", "frames"
# What Pillow only names or hands to another program: PostScript would be run as code.
_NOT_TAKEN = ("BUFR", "GRIB", "HDF5", "WMF", "MPEG", "EPS")
_READ_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    struct.error,
    Image.DecompressionBombError,
)
_ORIENTATION = 0x0112
_WHITE = (255, 255, 255, 255)
_DRAFT = 8  # JPEG decodes at an eighth of its size in a fraction of the time, reading every byte
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of a file that was read and decoded once.

    Attributes:
        sha256: Of its bytes.
        mode: Pillow's.
        height: Upright.
        width: Upright.
        turn: EXIF orientation that is left to apply when it is decoded; 1 for none.
        traits: What was done to it that a user should know: ``turned``, ``alpha``, ``deep``,
            ``cmyk``, ``frames``.
    """

    sha256: str
    mode: str
    height: int
    width: int
    turn: int = 1
    traits: tuple[str, ...] = ()


@cache
def formats() -> tuple[str, ...]:
    """Pillow's formats that hold pixels it decodes by itself."""
    Image.init()
    return tuple(sorted(name for name in Image.OPEN if name not in _NOT_TAKEN))


@cache
def suffixes() -> frozenset[str]:
    """Suffixes of those formats, in lower case."""
    taken = formats()
    return frozenset(s for s, name in Image.registered_extensions().items() if name in taken)


def inspect(path: Path) -> ImageFacts:
    """Read a file and decode it once, JPEG at an eighth of its size.

    Raises:
        DataError: If it is damaged, truncated, no image, or of a mode that has no 8-bit meaning.
    """
    try:
        blob = path.read_bytes()
        with Image.open(io.BytesIO(blob), formats=formats()) as image:
            return _facts(image, hashlib.sha256(blob).hexdigest(), path)
    except DataError:
        raise
    except _READ_ERRORS as error:
        raise unreadable(path, error) from error


def read_pixels(path: Path, grey: bool, turn: int = 1) -> NDArray[np.uint8]:
    """Pixels ``[H, W, C]``, upright, one channel if ``grey`` and three otherwise.

    Raises:
        DataError: If the file is damaged.
    """
    try:
        with Image.open(path, formats=formats()) as image:
            image.load()
            upright = image.transpose(_TURNS[turn]) if turn in _TURNS else image
            pixels = np.array(_opaque(upright).convert("L" if grey else "RGB"))
    except _READ_ERRORS as error:
        raise unreadable(path, error) from error
    return pixels.reshape(*pixels.shape[:2], -1)


def unreadable(path: Path, error: BaseException) -> DataError:
    """The one line about a file that cannot be decoded."""
    text = str(error).split(" <_io.")[0]  # Pillow names the buffer, which says nothing
    reason = " ".join(f"{type(error).__name__}: {text}".split())
    return DataError(f"{path}: not a readable image ({reason}); repair or remove the file")


def _facts(image: Image.Image, sha256: str, path: Path) -> ImageFacts:
    traits = []
    tiles = getattr(image, "tile", ())  # a tile names the layout of the pixels in the file
    orientation, mode, (width, height) = _orientation(image), image.mode, image.size
    _check_mode(image, path)
    if orientation != 1:
        traits.append(TURNED)
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        traits.append(FRAMES)
    if "16" in mode or mode == "I" or any("16" in str(tile) for tile in tiles):
        traits.append(DEEP)
    if mode == "CMYK":
        traits.append(CMYK)
    if image.format in ("JPEG", "MPO"):
        image.draft(mode, (max(1, width // _DRAFT), max(1, height // _DRAFT)))
        image.load()
    else:
        image.load()
        width, height = image.size  # TIFF turns itself as it is loaded
    if _is_transparent(image):
        traits.append(ALPHA)
    turn = _orientation(image)
    if turn >= 5:
        width, height = height, width
    return ImageFacts(sha256, mode, height, width, turn, tuple(traits))


def _check_mode(image: Image.Image, path: Path) -> None:
    deep_integers = image.mode == "I" and image.format not in ("PNG", "PPM")
    if image.mode not in GREY + COLOUR or deep_integers:
        raise DataError(
            f"{path}: mode {image.mode} has no 8-bit meaning; store grey or colour of 8 or 16 bits "
            "a channel"
        )


def _orientation(image: Image.Image) -> int:
    """1 where there is none, or none that can be read: the pixels are what counts."""
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except _READ_ERRORS:
        return 1
    return found if found in _TURNS else 1


def _is_transparent(image: Image.Image) -> bool:
    if not _may_be_transparent(image):
        return False
    lowest = image.convert("RGBA").getchannel("A").getextrema()[0]
    return isinstance(lowest, int | float) and lowest < 255


def _may_be_transparent(image: Image.Image) -> bool:
    return not image.mode.startswith("I") and image.has_transparency_data


def _opaque(image: Image.Image) -> Image.Image:
    """Without alpha and without 16-bit channels."""
    if image.mode.startswith("I"):
        values = np.array(image).astype(np.int64)
        return Image.fromarray((values >> 8).clip(0, 255).astype(np.uint8))
    if not _may_be_transparent(image):
        return image
    layers = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layers.size, _WHITE), layers)
