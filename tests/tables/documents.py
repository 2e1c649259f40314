"""LaTeX that compiles by itself."""

ODD = [
    *("[4] bits", "*starred", "[", "a[1]", "", "≈ ± × – → − ≤ ∞ µ °C", "größe é ñ ç ž ő ł"),
    *("αβγ ΔΩΑ ς ο", "数据 данные", "😀", "ﬁne", "x² ½", "\x07\x1b[31m", "tab\there"),
    *("100 % & $x_1^2 # {~} \\ |", "“q” ‘s’ …", "\u200bzero", "a\u0301", "-- 'quoted' `tick`"),
]
"""Texts that names may contain."""


def document(body):
    """A document with a table in it."""
    return (
        "\\documentclass{article}\n\\usepackage[a4paper,landscape,margin=1cm]{geometry}\n"
        f"\\usepackage{{booktabs}}\n\\begin{{document}}\n\\noindent\n{body}\\end{{document}}\n"
    )
