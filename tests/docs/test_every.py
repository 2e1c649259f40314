"""All generated pages together."""

import pytest

from docs._generate.every import every_page
from docs._generate.pages import GENERATED, ROOT


@pytest.fixture(scope="module")
def every():
    return list(every_page())


def test_names_of_pages_are_unique_and_below_the_folder_that_git_ignores(every):
    names = [page.name for page in every]
    assert len(names) == len(set(names))
    assert all(name.startswith(f"{GENERATED}/") for name in names)
    assert f"/docs/{GENERATED}/" in (ROOT / ".gitignore").read_text().splitlines()


def test_no_page_has_a_path_of_this_machine(every):
    for page in every:
        assert str(ROOT) not in page.text, page.name
