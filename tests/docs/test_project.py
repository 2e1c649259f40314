"""Pages of files outside of ``docs``."""

from docs._generate.pages import GENERATED, ROOT
from docs._generate.project import pages

PAGES = {page.name: page.text for page in pages()}


def test_contributing_and_changes_are_shown_with_links_of_the_site():
    assert "](../sweeps.md)" in PAGES[f"{GENERATED}/contributing"]
    assert PAGES[f"{GENERATED}/changelog"].startswith((ROOT / "CHANGELOG.md").read_text()[:20])


def test_an_example_is_shown_with_its_files():
    text = PAGES[f"{GENERATED}/examples/own_method"]
    assert "### `own_method/quantizer.py`" in text
    assert (ROOT / "examples/own_method/conf/quantizer/shift.yaml").read_text().strip() in text
