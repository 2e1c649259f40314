"""Markdown from values, rendered by an independent parser of Markdown."""

import pytest
from markdown_it import MarkdownIt

from docs._generate.markdown import from_docstring, prose, table

RENDER = MarkdownIt().enable("table")


def text_of(markdown):
    """The text that a reader sees."""
    tokens = (child for token in RENDER.parse(markdown) for child in token.children or [])
    return "".join(token.content or ("\n" if "break" in token.type else "") for token in tokens)


@pytest.mark.parametrize(
    "words",
    [
        "s_x * s_w is a * b",
        "x[0] < y > z",
        "a_b_c and **kwargs",
        r"a back\slash",
        "w_(>1) = H^-1 (G_(>1) w)",
    ],
)
def test_prose_shows_every_character(words):
    assert text_of(prose(words)) == words


def test_prose_marks_code_roles_and_papers():
    html = RENDER.render(prose("``a_b`` of :mod:`~qat.core.plan`, arXiv:1902.08153"))
    assert "<code>a_b</code>" in html
    assert "<code>qat.core.plan</code>" in html
    assert 'href="https://arxiv.org/abs/1902.08153"' in html


def test_indented_blocks_of_a_docstring_stay_as_they_are():
    text = "Begin.\n\n    v = a * b     Eq. 1\n\n      w = 2\n\nEnd with [x]."
    tokens = RENDER.parse(from_docstring(text))
    (fence,) = [token for token in tokens if token.type == "fence"]
    assert fence.content == "v = a * b     Eq. 1\n\n  w = 2\n"
    assert text_of(from_docstring(text)) == "Begin.End with [x]."


def test_a_table_keeps_bars_and_line_breaks_inside_of_cells():
    tokens = RENDER.parse(table(["key", "values"], [["a", "best | last"], ["b", "two\nlines"]]))
    cells = [token.content for token in tokens if token.type == "inline"]
    assert cells == ["key", "values", "a", "best | last", "b", "two lines"]
