"""The format of a table, and the caption and label of a LaTeX table."""

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
    """Format, caption and label of a table.

    Attributes:
        form: One of :data:`qat.tables.render.FORMATS`.
        caption: Caption of the LaTeX table, as plain text.
        label: Label of the LaTeX table.
        named: The user named the format; otherwise the table fits a terminal, if there is one.
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
        """The same caption and label in another format."""
        return replace(self, form=form)


def table_look(
    form: str | None, out: Path | None = None, caption: str = "", label: str = ""
) -> TableLook:
    """The look of a requested table.

    Args:
        form: Name of the format; None: by the suffix of ``out``, or else markdown.
        out: File to write; None: the table is printed.
        caption: Caption of the LaTeX table.
        label: Label of the LaTeX table.

    Raises:
        RequestError: If LaTeX could not read the label.

    Example:
        >>> table_look(None, Path("table.tex")).form
        'latex'
    """
    chosen = form or _FORMATS.get("" if out is None else out.suffix.lower(), "markdown")
    if label and not _LABEL.fullmatch(label):
        raise RequestError(
            f"--label {label!r}: a label may have only letters, digits and : _ . / + -"
        )
    return TableLook(chosen, caption, label, named=form is not None)
