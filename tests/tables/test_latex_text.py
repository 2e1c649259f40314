"""Any text, as pdflatex can set it."""

import pytest

from qat.tables.latex_text import escape
from tests.tables.documents import ODD


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[x]", "{[}x]"),
        ("*", "{*}"),
        ("a[x]*", "a[x]*"),
        ("≈ ±", r"$\approx$ $\pm$"),
        ("→", r"$\rightarrow$"),
        ("é", r"\'{e}"),
        ("β Ω Α", r"$\beta$ $\Omega$ A"),
        ("数", r"\texttt{U+6570}"),
        ("ﬁ", "fi"),
        ("", ""),
    ],
)
def test_characters(text, shown):
    assert escape(text) == shown


@pytest.mark.parametrize("text", ODD)
def test_nothing_but_ascii_is_left(text):
    assert escape(text).isascii()
