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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

WIDTH, HEIGHT = 1280, 720
COLOURS = 128
START_SECONDS = 120
SETTLE_SECONDS = 8
"""TensorBoard does not say when all its charts are drawn."""
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
            time.sleep(SETTLE_SECONDS)
            Path(path).write_bytes(few_colours(window.get_screenshot_as_png()))
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


def few_colours(png: bytes) -> bytes:
    """The same picture with a palette, which takes a third of the bytes."""
    small = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if match := _ADDRESS.search(log.read_text(errors="replace")):
            return match[0]
        time.sleep(0.2)
    raise RuntimeError(f"TensorBoard did not start: {log.read_text(errors='replace')}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
