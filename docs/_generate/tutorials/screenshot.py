"""Screenshots of TensorBoard, by Chromium without a window.

    python -m docs._generate.tutorials.screenshot FOLDER TAB FILE.png [TAB FILE.png ...]

A tab is named as in its address: ``timeseries``, ``custom_scalars``, ``hparams``. Without Chromium
nothing is written, and the exit code is 0: the pages keep their earlier screenshots.
"""

import contextlib
import io
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

WIDTH, HEIGHT = 1600, 900
SHOWN = 1280, 720
COLOURS = 128
START_SECONDS = 120
LOOK_SECONDS = 5
LOOKS, MOST_LOOKS = 4, 24
"""TensorBoard does not say when all is drawn: the picture must be the same so many times."""
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")


def main(words: list[str]) -> int:
    """Write the screenshots of some tabs of a folder."""
    folder, *pairs = words
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        print("no Chromium: no screenshot is written")
        return 0
    with tensorboard(Path(folder)) as address, browser(chromium, driver) as window:
        for tab, path in zip(pairs[::2], pairs[1::2], strict=True):
            window.get("about:blank")
            window.get(f"{address}#{tab}")
            Path(path).write_bytes(small(settled(window.get_screenshot_as_png)))
    return 0


@contextlib.contextmanager
def tensorboard(folder: Path) -> Iterator[str]:
    """Serve a folder inside the block; gives the address.

    Raises:
        RuntimeError: If TensorBoard does not start.
    """
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", "0"]
    command += ["--host", "127.0.0.1", "--load_fast", "false"]
    with tempfile.NamedTemporaryFile() as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield _address(server, Path(log.name))
        finally:
            server.terminate()
            server.wait()


@contextlib.contextmanager
def browser(chromium: str, driver: str) -> Iterator[Any]:
    """A window of Chromium.

    Args:
        chromium: Path of the program.
        driver: Path of its driver.
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    with tempfile.TemporaryDirectory() as profile:
        size = f"--window-size={WIDTH},{HEIGHT}"
        for flag in (*_FLAGS, size, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        window = webdriver.Chrome(options, webdriver.ChromeService(driver))
        try:
            yield window
        finally:
            window.quit()


def settled(look: Callable[[], bytes], seconds: float = LOOK_SECONDS) -> bytes:
    """The picture that no longer changes, or the last one.

    Args:
        look: Gives the picture of now.
        seconds: Time between two looks.
    """
    pictures: list[bytes] = []
    while len(pictures) < MOST_LOOKS and (len(pictures) < LOOKS or len(set(pictures[-LOOKS:])) > 1):
        time.sleep(seconds)
        pictures.append(look())
    return pictures[-1]


def small(png: bytes) -> bytes:
    """The picture in the size that a page shows, with a palette."""
    written = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        scaled = image.convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS)
        scaled.quantize(COLOURS).save(written, "PNG", optimize=True)
    return written.getvalue()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if match := _ADDRESS.search(log.read_text(errors="replace")):
            return match[0]
        time.sleep(0.2)
    raise RuntimeError(f"TensorBoard did not start: {log.read_text(errors='replace')}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
