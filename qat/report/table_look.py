"""In which format a table is written, and what a LaTeX table is called."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from qat.base.errors import RequestError
from qat.tables.cells import Table
from qat.tables.render import render, to_latex

SUFFIXES = {"markdown": ".md", "csv": ".csv", "latex": ".tex", "html": ".html"}
_FORMATS = {suffix: form for form, suffix in SUFFIXES.items()} | {
    ".markdown": "markdown",
    ".htm": "html",
}
_LABEL = re.compile(r"[A-Za-z0-9:_./+-]+")


@dataclass(frozen=True)
class TableLook:
    """How a table is to look.

    Attributes:
        form: One of :data:`qat.tables.render.FORMATS`.
        caption: Of the LaTeX table, as plain text.
        label: Of the LaTeX table.
        named: The format was asked for by name; otherwise a terminal gets a fitted table.
    """

    form: str = "markdown"
    caption: str = ""
    label: str = ""
    named: bool = True

    def render(self, table: Table) -> str:
        """The table as text."""
        if self.form == "latex":
            return to_latex(table, self.caption, self.label)
        return render(table, self.form)

    def as_form(self, form: str) -> "TableLook":
        """The same in another format."""
        return replace(self, form=form)


def table_look(
    form: str | None, out: Path | None = None, caption: str = "", label: str = ""
) -> TableLook:
    """The look of a request: a format that is not named follows the suffix of the file.

    Raises:
        RequestError: If a label could not stand in LaTeX.
    """
    chosen = form or _FORMATS.get("" if out is None else out.suffix.lower(), "markdown")
    if label and not _LABEL.fullmatch(label):
        raise RequestError(f"--label {label!r}: a label has letters, digits and : _ . / + - alone")
    return TableLook(chosen, caption, label, named=form is not None)
