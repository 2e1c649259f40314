"""A booktabs table from cells of plain text."""

from collections.abc import Iterable, Sequence

from qat.tables.cell_text import Shown
from qat.tables.latex_text import escape

NEEDS = "% needs \\usepackage{booktabs}"


def latex(
    headers: Sequence[str],
    right: Sequence[bool],
    rows: Iterable[Sequence[Shown]],
    notes: Sequence[str],
    footer: Sequence[str],
    spans: Sequence[tuple[str, int, int]] = (),
    caption: str = "",
    label: str = "",
) -> str:
    r"""A tabular with rules of booktabs; notes and footer in small print below it.

    It begins with a comment that names the packages it needs.

    Args:
        headers: One a column.
        right: Which columns are set flush right.
        rows: Cells as plain text; escaped here.
        notes: Numbered from 1.
        footer: Lines without a number.
        spans: ``(words, first column, last column)`` of headers over several columns.
        caption: Plain text; with it or a label the whole is a floating ``table``.
        label: For ``\ref``.
    """
    lines = [
        rf"\begin{{tabular}}{{{''.join('r' if flush else 'l' for flush in right)}}}",
        r"\toprule",
        *_upper(spans, len(headers)),
        _line([Shown(header) for header in headers]),
        r"\midrule",
        *(_line(row) for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    small = [f"{_super([i])} {escape(note)}" for i, note in enumerate(notes, start=1)]
    small += [escape(line) for line in footer]
    if small:
        lines += [r"\par\smallskip", r"{\footnotesize", *(rf"{line}\par" for line in small), "}"]
    if caption or label:
        lines = [r"\begin{table}", r"\centering", *_named(caption, label), *lines, r"\end{table}"]
    return "\n".join([NEEDS, *lines]) + "\n"


def _named(caption: str, label: str) -> list[str]:
    found = [rf"\caption{{{escape(caption)}}}"] if caption else []
    return found + ([rf"\label{{{label}}}"] if label else [])


def _upper(spans: Sequence[tuple[str, int, int]], columns: int) -> list[str]:
    if not spans:
        return []
    cells, column = [], 0
    for words, first, last in spans:
        cells += [""] * (first - column)
        cells.append(rf"\multicolumn{{{last - first + 1}}}{{c}}{{{escape(words)}}}")
        column = last + 1
    cells += [""] * (columns - column)
    rules = " ".join(rf"\cmidrule(lr){{{first + 1}-{last + 1}}}" for _, first, last in spans)
    return [" & ".join(cells) + r" \\", rules]


def _line(cells: Sequence[Shown]) -> str:
    return " & ".join(_cell(cell) for cell in cells) + r" \\"


def _cell(cell: Shown) -> str:
    text = escape(cell.text)
    text = rf"\textbf{{{text}}}" if cell.bold else text
    return text + (_super(cell.marks) if cell.marks else "")


def _super(marks: Sequence[int]) -> str:
    return rf"\textsuperscript{{{','.join(map(str, marks))}}}"
