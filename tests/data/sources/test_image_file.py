"""One file to pixels: Pillow's own operations and hand sums are the oracles."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from qat.data import DataError
from qat.data.sources.image_file import inspect, read_pixels, suffixes

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (6, 9, 3), dtype=np.uint8)


def read(path, grey=False):
    return read_pixels(path, grey, inspect(path).turn)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".ppm", ".tga", ".gif"])
def test_formats_that_lose_nothing_give_their_pixels(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    few = COLOUR // 64 * 64  # a gif has 256 colours
    Image.fromarray(few).save(path)
    assert suffix in suffixes()
    assert np.array_equal(read(path), few)


@pytest.mark.parametrize("suffix", [".pdf", ".eps", ".mpg", ".h5", ".txt"])
def test_what_is_no_picture_is_not_taken(suffix):
    assert suffix not in suffixes()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path, suffix, orientation):
    path = tmp_path / f"turned{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(COLOUR).save(path, exif=exif)
    with Image.open(path) as image:
        expected = np.array(ImageOps.exif_transpose(image).convert("RGB"))
    facts = inspect(path)
    assert np.array_equal(read(path), expected)
    assert (facts.height, facts.width) == expected.shape[:2]
    assert ("turned" in facts.traits) == (orientation != 1)


def test_transparent_pixels_lie_on_white(tmp_path):
    path = tmp_path / "clear.png"
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [10, 20, 30, 102]]], dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    # 102 / 255 = 0.4 of the colour, 0.6 of white: 0.4 * 10 + 153 = 157, 161, 165
    assert read(path).tolist() == [[[10, 20, 30], [255, 255, 255], [157, 161, 165]]]
    assert inspect(path).traits == ("alpha",)


def test_opaque_alpha_changes_nothing(tmp_path):
    path = tmp_path / "opaque.png"
    Image.fromarray(COLOUR).convert("RGBA").save(path)
    assert np.array_equal(read(path), COLOUR)
    assert inspect(path).traits == ()


def test_grey_with_alpha_is_grey(tmp_path):
    path = tmp_path / "la.png"
    Image.fromarray(np.array([[[7, 255], [7, 0]]], dtype=np.uint8), "LA").save(path)
    assert read(path, grey=True)[..., 0].tolist() == [[7, 255]]


def test_palettes_become_their_colours(tmp_path):
    path = tmp_path / "palette.png"
    image = Image.new("P", (2, 1))
    image.putpalette([1, 2, 3, 200, 100, 50])
    image.putpixel((1, 0), 1)
    image.save(path)
    assert read(path).tolist() == [[[1, 2, 3], [200, 100, 50]]]
    image.save(path, transparency=0)
    assert read(path).tolist() == [[[255, 255, 255], [200, 100, 50]]]


def test_sixteen_bits_keep_the_high_byte(tmp_path):
    values = np.array([[0, 255, 256, 0x1234, 0xFFFF]], dtype=np.uint16)
    for suffix in (".png", ".tif"):
        path = tmp_path / f"deep{suffix}"
        Image.fromarray(values).save(path)
        assert read(path, grey=True)[..., 0].tolist() == [[0, 0, 1, 0x12, 0xFF]]
        assert inspect(path).traits == ("deep",)


def test_cmyk_is_converted_and_told(tmp_path):
    path = tmp_path / "print.tif"
    Image.fromarray(COLOUR).convert("CMYK").save(path)
    assert inspect(path).traits == ("cmyk",)
    assert np.array_equal(read(path), COLOUR)  # without black ink Pillow's formula goes back


def test_the_first_of_several_frames_is_taken(tmp_path):
    path = tmp_path / "moving.gif"
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert read(path)[0, 0].tolist() == [255, 0, 0]
    assert inspect(path).traits == ("frames",)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".bmp"])
@pytest.mark.parametrize("kept", [0.5, 0.97])
def test_truncated_files_are_found(tmp_path, suffix, kept):
    path = tmp_path / f"cut{suffix}"
    Image.fromarray(RANDOM.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(DataError, match=r"cut\.\w+: not a readable image .*; repair or remove"):
        inspect(path)


def test_floats_have_no_eight_bit_meaning(tmp_path):
    path = tmp_path / "float.tif"
    Image.fromarray(np.zeros((4, 4), dtype=np.float32)).save(path)
    with pytest.raises(DataError, match=r"float\.tif: mode F has no 8-bit meaning"):
        inspect(path)
