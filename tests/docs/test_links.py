"""Links of the pages: on a host of the repository, and on the site."""

import re
from pathlib import Path

import pytest

from docs._generate.links import DeadLinkError, for_site, page_of, split_code

ROOT = Path(__file__).parents[2]
PAGES = [
    *(
        ROOT / name
        for name in ("README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
    ),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "coming_from").glob("*.md")),
    *sorted((ROOT / "docs" / "tutorials").glob("*.md")),
    *sorted((ROOT / "experiments").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]


def headings(path):
    """Anchors of the headings of a page, as hosts of repositories make them."""
    prose = "".join(text for is_code, text in split_code(path.read_text()) if not is_code)
    titles = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings_of_the_checkout(page):
    prose = "".join(text for is_code, text in split_code(page.read_text()) if not is_code)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"https?:|mailto:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in headings(target), f"{page.name} links to {link}"


@pytest.mark.parametrize(
    ("link", "source", "page", "on_site"),
    [
        ("docs/ptq.md", "README.md", "index", "ptq.md"),
        ("docs/ptq.md#in-python", "README.md", "generated/changelog", "../ptq.md#in-python"),
        ("../experiments/demo/", "docs/ptq.md", "ptq", "generated/gallery/demo.md"),
        ("table.md", "experiments/demo/README.md", "generated/gallery/demo", "#table"),
        (
            "../../docs/ptq.md",
            "experiments/demo/table.md",
            "generated/gallery/demo",
            "../../ptq.md",
        ),
        ("../LICENSE", "docs/ptq.md", "ptq", "../LICENSE"),
        ("tensorboard.png", "docs/tensorboard.md", "tensorboard", "tensorboard.png"),
        ("https://example.org/a.md", "README.md", "index", "https://example.org/a.md"),
        ("#speed", "README.md", "index", "#speed"),
    ],
)
def test_links_of_the_site(link, source, page, on_site):
    assert for_site(f"see [it]({link}).", source, page) == f"see [it]({on_site})."


def test_code_is_left_alone():
    text = "a\n```markdown\n[x](nothing.md)\n```\n[y](docs/ptq.md)\n"
    assert for_site(text, "README.md", "index") == text.replace("docs/ptq.md", "ptq.md")


@pytest.mark.parametrize("link", ["nothing.md", "docs/nothing.md#a", "tests/"])
def test_a_link_to_nothing_is_refused(link):
    with pytest.raises(DeadLinkError, match=re.escape(link)):
        for_site(f"[x]({link})", "README.md", "index")


def test_every_page_in_docs_has_itself_as_page():
    assert [page_of(f"docs/{p.name}") for p in (ROOT / "docs").glob("*.md")] == [
        p.stem for p in (ROOT / "docs").glob("*.md")
    ]
