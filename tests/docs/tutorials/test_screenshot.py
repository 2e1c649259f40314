"""Screenshots of TensorBoard."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from docs._generate.tutorials.screenshot import few_colours, main


def test_a_picture_keeps_its_size_and_nearly_its_colours():
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, 20:] = (255, 127, 0)
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    with Image.open(io.BytesIO(few_colours(png.getvalue()))) as image:
        assert image.mode == "P"
        shown = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(shown - pixels).max() <= 8


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
