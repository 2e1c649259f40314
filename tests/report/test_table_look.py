"""In which format a table is written."""

from pathlib import Path

import pytest

from qat.base.errors import RequestError
from qat.report.table_look import table_look


@pytest.mark.parametrize(
    ("form", "out", "chosen"),
    [
        (None, None, "markdown"),
        (None, "a/table.tex", "latex"),
        (None, "table.CSV", "csv"),
        (None, "table.htm", "html"),
        (None, "table.md", "markdown"),
        (None, "table.txt", "markdown"),
        ("csv", "table.tex", "csv"),
    ],
)
def test_the_suffix_says_the_format_unless_it_is_named(form, out, chosen):
    assert table_look(form, Path(out) if out else None).form == chosen


def test_a_label_that_latex_would_stumble_over_is_refused():
    with pytest.raises(RequestError, match="only letters, digits"):
        table_look("latex", None, "", "tab}le")
