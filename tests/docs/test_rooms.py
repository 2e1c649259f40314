"""The map of the source."""

from docs._generate.pages import ROOT
from docs._generate.rooms import first_line, pages


def test_every_file_with_content_has_a_row():
    (page,) = pages()
    for room in ("core", "cli"):
        rows = page.text.partition(f"## `{room}`\n")[2].partition("\n## ")[0]
        names = {path.name for path in (ROOT / "qat" / room).glob("*.py")} - {"__init__.py"}
        assert all(f"| `{name}` | " in rows for name in names)


def test_first_line(tmp_path):
    path = tmp_path / "a.py"
    path.write_text('"""One line\nor two.\n\nMore.\n"""\n')
    assert first_line(path) == "One line\nor two."
    path.write_text("x = 1\n")
    assert first_line(path) == ""
