"""Pages and their figures on disk."""

import shutil

import pytest

from docs._generate.tutorials.folder import (
    copy_figures,
    figures,
    missing_figures,
    names,
    page_path,
)

PAGE = "# T\n\n![a](first/a.svg)\n![b](first/out/b.png)\n![other](../flow.svg)\n"


def test_every_name_has_its_page():
    assert names()
    assert all(page_path(name).is_file() for name in names())
    assert "index" not in names()


def test_figures_are_those_of_the_folder_of_the_page():
    assert figures(PAGE, "first") == ["a.svg", "out/b.png"]


@pytest.mark.parametrize(("browser", "missing"), [("chromium", ["out/b.png"]), (None, [])])
def test_a_screenshot_may_miss_without_a_browser(browser, missing, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: browser)
    (tmp_path / "a.svg").write_text("")
    assert missing_figures(PAGE, "first", tmp_path) == missing
    (tmp_path / "a.svg").unlink()
    assert "a.svg" in missing_figures(PAGE, "first", tmp_path)


def test_figures_are_copied_with_their_folders(tmp_path):
    ran, docs = tmp_path / "ran", tmp_path / "docs"
    (ran / "out").mkdir(parents=True)
    (ran / "out" / "b.png").write_text("new")
    copy_figures(PAGE, "first", ran, docs)
    copied = [path.relative_to(docs).as_posix() for path in docs.rglob("*") if path.is_file()]
    assert copied == ["first/out/b.png"]
