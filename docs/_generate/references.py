"""Papers of the methods: entries of ``docs/references.bib``, and the files that cite them.

The docstring of a file ends with ``Cites: KEY, KEY.``, the only place that names its keys.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from docs._generate.markdown import table
from docs._generate.pages import DOCS, GENERATED, ROOT, Page

BIB = DOCS / "references.bib"
HEAD = """# References

Papers of the methods, by key. The file [references.bib](../references.bib) has them all; the page
of a method shows its own. If you use QATLab itself in a paper, cite it by
[CITATION.cff](../../CITATION.cff).

"""
_ENTRY = re.compile(r"^@\w+\{(\w+),\n.*?^\}$", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^  (\w+) *= \{(.*)\},$", re.MULTILINE)
_CITES = re.compile(r"\n\nCites: (\w+(?:,\s\w+)*)\.\s*\Z")


def pages() -> Iterator[Page]:
    """The page of all papers, with the files that cite them."""
    files = cited_by()
    rows = [(f"`{key}`", _paper(text), _files(files[key])) for key, text in entries().items()]
    text = table(("key", "paper", "cited in"), rows)
    yield Page(f"{GENERATED}/references", f"{HEAD}{text}")


def entries() -> dict[str, str]:
    """Key → BibTeX, in the order of the file.

    Example:
        >>> fields(entries()["esser2020lsq"])["eprint"]
        '1902.08153'
    """
    text = BIB.read_text(encoding="utf-8")
    return {match[1]: match[0] for match in _ENTRY.finditer(text)}


def fields(entry: str) -> dict[str, str]:
    """Field → value of an entry; braces that keep capital letters are left out."""
    return {name: re.sub(r"[{}]", "", value) for name, value in _FIELD.findall(entry)}


def keys(docstring: str) -> tuple[str, ...]:
    r"""The keys that a docstring cites.

    Example:
        >>> keys("A title.\n\nCites: esser2020lsq, li2016twn.\n")
        ('esser2020lsq', 'li2016twn')
    """
    match = _CITES.search(docstring)
    return tuple(re.split(r",\s", match[1])) if match else ()


def without_keys(docstring: str) -> str:
    """A docstring without its line of keys."""
    return _CITES.sub("\n", docstring)


def cited_by() -> Mapping[str, list[str]]:
    """Key → files that cite it, relative to the checkout."""
    files = defaultdict(list)
    for path in sorted((ROOT / "qat").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "\nCites: " in text:
            for key in keys(ast.get_docstring(ast.parse(text), clean=False) or ""):
                files[key].append(path.relative_to(ROOT).as_posix())
    return files


def _paper(entry: str) -> str:
    known = fields(entry)
    authors = known["author"].split(" and ")
    surnames = [name.partition(",")[0] for name in authors]
    who = " and ".join(surnames) if len(surnames) < 3 else f"{surnames[0]} et al."
    number = known.get("eprint")
    link = f", [arXiv:{number}](https://arxiv.org/abs/{number})" if number else ""
    return f"{who} {known['year']}, {known['title'].replace('$', '')}{link}"


def _files(paths: list[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths)
