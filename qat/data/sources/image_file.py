"""One image file: its facts, a check for damage, and its pixels as 8-bit grey or colour.

Files that are not plain 8-bit grey or colour are converted; notes count each kind except palettes:

- An EXIF orientation is applied, as viewers do (Exif 2.32, tag 0x0112).
- Transparent pixels are blended with white.
- Of 16 bits in a channel the high byte is kept, as Pillow reads 16-bit colour.
- CMYK is converted to RGB by Pillow's formula, without a colour profile.
- Of several frames the first is used.
- A palette is replaced by its exact colours.
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
# Pillow cannot decode these itself, or starts another program: PostScript would be run as code.
_NOT_DECODED = ("BUFR", "GRIB", "HDF5", "WMF", "MPEG", "EPS")
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
    """The facts of a file that was read and decoded once.

    Attributes:
        sha256: Of the bytes of the file.
        mode: Pillow's mode.
        height: In pixels, after the EXIF orientation is applied.
        width: In pixels, after the EXIF orientation is applied.
        turn: EXIF orientation that :func:`read_pixels` must still apply; 1 for none.
        traits: Conversions that a user should see: ``turned``, ``alpha``, ``deep``, ``cmyk``,
            ``frames``.
    """

    sha256: str
    mode: str
    height: int
    width: int
    turn: int = 1
    traits: tuple[str, ...] = ()


@cache
def formats() -> tuple[str, ...]:
    """The formats that Pillow decodes without another program."""
    Image.init()
    return tuple(sorted(name for name in Image.OPEN if name not in _NOT_DECODED))


@cache
def suffixes() -> frozenset[str]:
    """Suffixes of :func:`formats`, in lower case.

    Example:
        >>> ".png" in suffixes(), ".pdf" in suffixes()
        (True, False)
    """
    decoded = formats()
    return frozenset(s for s, name in Image.registered_extensions().items() if name in decoded)


def inspect(path: Path) -> ImageFacts:
    """Read a file and decode it once, JPEG at an eighth of its size.

    Raises:
        DataError: If it is damaged, truncated, no image, or of a mode without an 8-bit meaning.
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
    """Decode a file to pixels ``[H, W, C]``.

    Args:
        path: Of the file.
        grey: One channel if true, three (RGB) otherwise.
        turn: EXIF orientation to apply, from :class:`ImageFacts`; 1 for none.

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
    """The error for a file that cannot be decoded.

    Args:
        path: Of the file.
        error: What Pillow or Python raised.
    """
    text = str(error).split(" <_io.")[0]  # Pillow appends the buffer, which helps nobody
    reason = " ".join(f"{type(error).__name__}: {text}".split())
    return DataError(f"{path}: not a readable image ({reason}); repair or remove the file")


def _facts(image: Image.Image, sha256: str, path: Path) -> ImageFacts:
    traits = []
    tiles = getattr(image, "tile", ())  # a tile describes the layout of the pixels in the file
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
        width, height = image.size  # loading a TIFF applies its orientation
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
    """The EXIF orientation; 1 if there is none or it cannot be read."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except _READ_ERRORS:
        return 1
    return orientation if orientation in _TURNS else 1


def _is_transparent(image: Image.Image) -> bool:
    if not _may_be_transparent(image):
        return False
    lowest = image.convert("RGBA").getchannel("A").getextrema()[0]
    return isinstance(lowest, int | float) and lowest < 255


def _may_be_transparent(image: Image.Image) -> bool:
    return not image.mode.startswith("I") and image.has_transparency_data


def _opaque(image: Image.Image) -> Image.Image:
    """The image without alpha and without 16-bit channels."""
    if image.mode.startswith("I"):
        values = np.array(image).astype(np.int64)
        return Image.fromarray((values >> 8).clip(0, 255).astype(np.uint8))
    if not _may_be_transparent(image):
        return image
    layers = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layers.size, _WHITE), layers)
