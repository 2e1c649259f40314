"""One tutorial from its page to its page."""

import sys

import pytest

from docs._generate.tutorials import folder, one
from docs._generate.tutorials.compare import has_footer

PAGE = """# T

```console
$ echo {} | tee word.svg
```

![word](page/word.svg)
"""


@pytest.fixture
def pages(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "TUTORIALS", tmp_path)
    monkeypatch.setattr(one, "copy_figures", lambda *a: folder.copy_figures(*a, tmp_path))
    monkeypatch.setattr(one, "machine", lambda: "2 threads")
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def test_a_page_is_written_and_then_equal(pages, capsys):
    (pages / "page.md").write_text(PAGE.format("one"))
    assert one.main(["page"]) == 0
    text = (pages / "page.md").read_text()
    assert "word.svg\none\n```" in text
    assert has_footer(text)
    assert (pages / "page" / "word.svg").read_text() == "one\n"
    assert one.main(["page", "--check"]) == 0
    assert "the output is equal" in capsys.readouterr().out


def test_a_difference_is_shown_and_nothing_is_written(pages, capsys):
    (pages / "page.md").write_text(PAGE.format("one"))
    one.main(["page"])
    wrong = (pages / "page.md").read_text().replace("\none\n", "\ntwo\n")
    (pages / "page.md").write_text(wrong)
    assert one.main(["page", "--check"]) == 1
    assert "-two\n+one\n" in capsys.readouterr().out
    assert (pages / "page.md").read_text() == wrong


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PAGE.replace("word.svg\n", "no.svg\n"), "no command has written word.svg"),
        ("```console\n$ false\n```\n", "exit code 1"),
        ("```console odd\n$ true\n```\n", "may be"),
    ],
)
def test_what_is_wrong_with_a_page_is_said(text, message, pages, capsys):
    (pages / "page.md").write_text(text)
    assert one.main(["page"]) == 1
    assert message in capsys.readouterr().err
    assert (pages / "page.md").read_text() == text
