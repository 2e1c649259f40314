r"""Plain text as LaTeX source, for pdflatex without further packages.

Every character is covered: ASCII as it is or escaped, symbols and Greek letters as commands,
accented letters as accent commands, any other character as its code point. A table therefore
compiles with any name of a run, a network or a data set.
"""

import unicodedata

_ASCII = {
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
    '"': "''",
    "\n": " ",
    "\t": " ",
}
_MATHS = {
    "±": "pm",
    "×": "times",
    "÷": "div",
    "·": "cdot",
    "≈": "approx",
    "≠": "neq",
    "≤": "leq",
    "≥": "geq",
    "≪": "ll",
    "≫": "gg",
    "∞": "infty",
    "→": "rightarrow",
    "←": "leftarrow",
    "↔": "leftrightarrow",
    "↑": "uparrow",
    "↓": "downarrow",
    "⇒": "Rightarrow",
    "∈": "in",
    "∑": "sum",
    "∏": "prod",
    "∂": "partial",
    "∇": "nabla",
    "√": "surd",
    "∘": "circ",
    "∗": "ast",
    "ϵ": "epsilon",
    "ϕ": "phi",
    "µ": "mu",
}
_SYMBOLS = {
    "–": "--",
    "—": "---",
    "−": "$-$",
    "…": r"\ldots{}",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "„": ",,",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,",
    "•": r"\textbullet{}",
    "§": r"\S{}",
    "¶": r"\P{}",
    "©": r"\textcopyright{}",
    "²": "$^2$",
    "³": "$^3$",
    "¹": "$^1$",
    "°": r"$^\circ$",
    "✓": r"$\surd$",
    "✗": r"$\times$",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
}
_ACCENTS = {
    "\N{COMBINING GRAVE ACCENT}": "`",
    "\N{COMBINING ACUTE ACCENT}": "'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "\N{COMBINING TILDE}": "~",
    "\N{COMBINING MACRON}": "=",
    "\N{COMBINING BREVE}": "u",
    "\N{COMBINING DOT ABOVE}": ".",
    "\N{COMBINING DIAERESIS}": '"',
    "\N{COMBINING RING ABOVE}": "r",
    "\N{COMBINING DOUBLE ACUTE ACCENT}": "H",
    "\N{COMBINING CARON}": "v",
    "\N{COMBINING CEDILLA}": "c",
    "\N{COMBINING DOT BELOW}": "d",
}
_LATIN_LIKE_GREEK = "ABEZHIKMNOPTX"
_GREEK_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧ", _LATIN_LIKE_GREEK, strict=True)) | {"ο": "o"}
_GREEK_NAMES = {"LAMDA": "LAMBDA", "FINAL SIGMA": "varsigma"}


def escape(text: str) -> str:
    r"""Plain text as LaTeX source; a first ``[`` or ``*`` is put in braces.

    After ``\\`` LaTeX would read a bracket as a length, and a star as the starred form.

    Example:
        >>> print(escape("w4_a4 & 50%"))
        w4\_a4 \& 50\%
        >>> print(escape("[β] é"))
        {[}$\beta$] \'{e}
    """
    shown = "".join(_shown(character) for character in text)
    return "{" + shown[0] + "}" + shown[1:] if shown.startswith(("[", "*")) else shown


def _shown(character: str) -> str:
    if character in _ASCII:
        return _ASCII[character]
    if " " <= character <= "\N{TILDE}":
        return character
    if character in _SYMBOLS:
        return _SYMBOLS[character]
    if character in _MATHS:
        return rf"$\{_MATHS[character]}$"
    return _greek(character) or _accented(character) or _code_point(character)


def _greek(character: str) -> str:
    if character in _GREEK_LATIN:
        return _GREEK_LATIN[character]
    kind, _, name = unicodedata.name(character, "").partition(" LETTER ")
    if not kind.startswith("GREEK") or not name.isascii() or " WITH " in name:
        return ""
    name = _GREEK_NAMES.get(name, name)
    word = name.lower() if kind == "GREEK SMALL" else name.capitalize()
    return rf"$\{word}$" if word.isalpha() else ""


def _accented(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character)
    if parts == character:
        return ""
    base, marks = parts[0], parts[1:]
    if all(mark in _ACCENTS for mark in marks):
        text = _shown(base)
        for mark in marks:
            text = rf"\{_ACCENTS[mark]}{{{text}}}"
        return text
    return "".join(map(_shown, parts)) if not any(map(unicodedata.combining, parts)) else ""


def _code_point(character: str) -> str:
    return rf"\texttt{{U+{ord(character):04X}}}"
