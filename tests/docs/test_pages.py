"""Generated pages on disk."""

from docs._generate.pages import Page, contents, write_pages


def test_pages_are_written_and_old_ones_deleted(tmp_path):
    write_pages([Page("generated/a/one", "1"), Page("generated/two", "2")], tmp_path)
    write_pages([Page("generated/two", "3")], tmp_path)
    assert {p.relative_to(tmp_path).as_posix(): p.read_text() for p in tmp_path.rglob("*.md")} == {
        "generated/two.md": "3"
    }


def test_an_unchanged_page_is_not_written_again(tmp_path):
    page = Page("generated/one", "text")
    write_pages([page], tmp_path)
    path = tmp_path / "generated" / "one.md"
    path.chmod(0o444)
    before = path.stat().st_mtime_ns
    write_pages([page], tmp_path)
    assert path.stat().st_mtime_ns == before


def test_pages_by_hand_are_left_alone(tmp_path):
    (tmp_path / "start.md").write_text("mine")
    write_pages([], tmp_path)
    assert (tmp_path / "start.md").read_text() == "mine"


def test_contents_is_a_toctree():
    assert contents(["a", "b"]) == "```{toctree}\n:hidden:\n\na\nb\n```\n"
