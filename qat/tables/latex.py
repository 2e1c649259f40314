"""A LaTeX table with booktabs rules, from cells of plain text."""

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
    r"""A tabular with booktabs rules, and the notes and the footer in small print below it.

    The text begins with a comment that names the required package.

    Args:
        headers: Plain text, one for each column.
        right: True for the columns that are aligned right.
        rows: Cells as plain text; this function escapes them.
        notes: Plain text; they are numbered from 1.
        footer: Lines without a number.
        spans: ``(text, first column, last column)`` of headers over several columns.
        caption: Plain text; with a caption or a label, a floating ``table`` is written.
        label: For ``\ref``.

    Example:
        >>> print(latex(["mode", "top-1"], [False, True], [[Shown("qat"), Shown("91")]], [], []))
        % needs \usepackage{booktabs}
        \begin{tabular}{lr}
        \toprule
        mode & top-1 \\
        \midrule
        qat & 91 \\
        \bottomrule
        \end{tabular}
        <BLANKLINE>
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
    lines = [rf"\caption{{{escape(caption)}}}"] if caption else []
    return lines + ([rf"\label{{{label}}}"] if label else [])


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
