"""A booktabs table from cells of plain text."""

from collections.abc import Iterable, Sequence

ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "\N{PLUS-MINUS SIGN}": r"$\pm$",
        "\N{MULTIPLICATION SIGN}": r"$\times$",
        "\N{ALMOST EQUAL TO}": r"$\approx$",
        "\N{EN DASH}": "--",
        "\n": " ",
    }
)


def escape(text: str) -> str:
    r"""Plain text as LaTeX shows it.

    Example:
        >>> print(escape("w4_a4 & 50%"))
        w4\_a4 \& 50\%
    """
    return text.translate(ESCAPES)


def latex(
    headers: Sequence[str],
    right: Sequence[bool],
    rows: Iterable[Sequence[str]],
    marks: Iterable[Sequence[int]],
    notes: Sequence[str],
    footer: Sequence[str],
) -> str:
    """A tabular with rules of booktabs; notes and footer in small print below it.

    Args:
        headers: One a column.
        right: Which columns are set flush right.
        rows: Cells as plain text; escaped here.
        marks: Numbers of the notes that concern each row.
        notes: Numbered from 1.
        footer: Lines without a number.
    """
    lines = [
        rf"\begin{{tabular}}{{{''.join('r' if flush else 'l' for flush in right)}}}",
        r"\toprule",
        _line(headers, ()),
        r"\midrule",
        *(_line(row, numbers) for row, numbers in zip(rows, marks, strict=True)),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    small = [f"{_super([i])} {escape(note)}" for i, note in enumerate(notes, start=1)]
    small += [escape(line) for line in footer]
    if small:
        lines += [r"\par\smallskip", r"{\footnotesize", *(rf"{line}\par" for line in small), "}"]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str], marks: Sequence[int]) -> str:
    texts = [escape(cell) for cell in cells]
    if marks and texts:
        texts[0] += _super(marks)
    return " & ".join(texts) + r" \\"


def _super(marks: Sequence[int]) -> str:
    return rf"\textsuperscript{{{','.join(map(str, marks))}}}"
