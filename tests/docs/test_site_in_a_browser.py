"""The built site in a real browser, at the widths of a desktop and of a telephone."""

import shutil

import pytest

from docs._generate.pages import ROOT

pytestmark = pytest.mark.browser

SITE = ROOT / "build" / "site"
PAGES = (
    "index",
    "start",
    "tutorials/first",
    "generated/configuration",
    "generated/api",
    "generated/gallery/deployment",
)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars")
BRIGHTNESS = """
    const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g);
    return (Number(red) + Number(green) + Number(blue)) / 3;
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium without a window."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and its driver are not installed: apt install chromium-driver")
    if not (SITE / "index.html").is_file():
        pytest.skip("the site is not built: make docs")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    started = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield started
    started.quit()


def show(browser, page, width, scheme):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get((SITE / f"{page}.html").as_uri())


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_is_wider_than_the_window(browser, page, width):
    show(browser, page, width, "light")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_colours_follow_the_system(browser):
    show(browser, "index", 1280, "dark")
    dark = browser.execute_script(BRIGHTNESS)
    show(browser, "index", 1280, "light")
    assert dark < 64 < 192 < browser.execute_script(BRIGHTNESS)
