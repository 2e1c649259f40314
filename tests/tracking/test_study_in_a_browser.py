"""A study's view as a real browser renders it."""

import os
import shutil
import time
from pathlib import Path

import pytest

from qat.tracking import tensorboard as board
from qat.tracking.figures.style import new_figure
from qat.tracking.study import build_study_view, view_names

pytestmark = pytest.mark.browser

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--window-size=2400,1200",
]
# Names also stand in the sidebar, each in a shadow root of its own: the text of the table alone.
TABLE_TEXT = """
    const find = (root, name) => {
        for (const element of root.querySelectorAll('*')) {
            if (element.localName === name) return element;
            const found = element.shadowRoot && find(element.shadowRoot, name);
            if (found) return found;
        }
        return null;
    };
    const text = node => {
        if (node.nodeType === Node.TEXT_NODE) return node.textContent + ' ';
        if (['STYLE', 'SCRIPT', 'TEMPLATE'].includes(node.nodeName)) return '';
        const children = [...(node.shadowRoot ? node.shadowRoot.childNodes : []),
                          ...node.childNodes];
        return children.map(text).join('');
    };
    const table = find(document, 'tf-hparams-table-view');
    return table ? text(table) : '';
"""


@pytest.fixture
def browser(tmp_path):
    """Chromium without a window."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and its driver are not installed: apt install chromium-driver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in [*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"]:
        options.add_argument(flag)
    started = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield started
    started.quit()


def test_the_values_of_every_run_are_in_the_table(tmp_path, make, serve, browser):
    records = [
        make("aaa", metrics={"top1": 0.8125, "compression": 7.5}),
        make("bbb", seed=1, metrics={"top1": 0.84375, "compression": 7.25}),
        make("ccc", mode="float", metrics={"top1": 0.90625}),
    ]
    for record in records:
        with board.open_events(tmp_path / "runs" / record.id / "tb") as writer:
            board.write_hparams(writer, record)
            if record.mode == "qat":
                writer.add_scalar("best/val_top1", 0.71875 + record.seed, 0)
            board.write_final_scalars(writer, record)
    runs = {name: tmp_path / "runs" / id_ for name, id_ in view_names(records).items()}
    figures = {"accuracy_size": new_figure()[0]}
    folder = build_study_view(tmp_path / "runs", "it", runs, "| a |\n|---|", lambda: figures)

    server = serve(folder)
    server.rows(3)  # all is loaded
    browser.get(server.address + "#hparams")
    expected = ["0.71875", "1.7188", "w4a4-lsq-qat-seed1"]
    deadline = time.monotonic() + 90
    shown = ""
    while time.monotonic() < deadline and not all(value in shown for value in expected):
        time.sleep(0.5)
        shown = browser.execute_script(TABLE_TEXT)
    artifacts = Path(os.environ.get("QAT_TEST_ARTIFACTS", tmp_path))
    artifacts.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(artifacts / "tensorboard_hparams.png"))
    assert [value for value in expected if value not in shown] == [], shown
