"""Screenshots of TensorBoard."""

import io
import shutil
from itertools import chain, repeat

import numpy as np
import pytest
from PIL import Image

from docs._generate.tutorials.screenshot import MOST_LOOKS, SHOWN, main, settled, small


def test_a_picture_is_scaled_and_nearly_keeps_its_colours():
    pixels = np.zeros((900, 1600, 3), np.uint8)
    pixels[:, 800:] = (255, 127, 0)
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    with Image.open(io.BytesIO(small(png.getvalue()))) as image:
        assert image.size == SHOWN
        shown = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(shown[100, [100, 1100]] - [[0, 0, 0], [255, 127, 0]]).max() <= 8


def test_a_picture_is_settled_when_it_no_longer_changes():
    pictures = chain([b"a", b"b", b"b", b"c"], repeat(b"d"))
    assert settled(lambda: next(pictures), seconds=0) == b"d"
    moving = iter(range(1000))
    assert settled(lambda: b"%d" % next(moving), seconds=0) == b"%d" % (MOST_LOOKS - 1)


def test_without_a_browser_nothing_is_written(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert main([str(tmp_path), "hparams", str(tmp_path / "a.png")]) == 0
    assert "no screenshot" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.browser
def test_a_tab_is_drawn(tmp_path):
    if shutil.which("chromium") is None:
        pytest.skip("chromium and its driver are not installed: apt install chromium-driver")
    assert main([str(tmp_path), "hparams", str(tmp_path / "a.png")]) == 0
    with Image.open(tmp_path / "a.png") as image:
        assert len(image.convert("RGB").getcolors(1 << 20)) > 8
