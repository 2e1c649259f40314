"""The gallery: one page for each folder of ``experiments``, and a page with one row for each."""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from docs._generate.links import for_site
from docs._generate.markdown import table
from docs._generate.pages import GENERATED, ROOT, Page, contents

EXPERIMENTS = ROOT / "experiments"
FOLDER = f"{GENERATED}/gallery"
COLUMNS = ("study", "question", "answer")
NO_ANSWER = "not run as a whole yet"
_QUESTION = re.compile(r"\*\*Questions?[:.]\*\*[:.]?\s*(.*?)(?:\n\n|\Z)", re.DOTALL)
_ANSWER = re.compile(r"\*\*Answer[:.]\*\*[:.]?\s*(.*?)(?:\n\n(?!- )|\Z)", re.DOTALL)
_LINK_TO_TABLE = re.compile(r"^(?:see )?\[[\w.]+\]\([^)]*\)\.?\s*", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[A-Za-z)%][.?])\s+(?=[-A-Za-z0-9`*])")


def pages() -> Iterator[Page]:
    """The page of all studies, and one page for each."""
    folders = [path.parent for path in sorted(EXPERIMENTS.glob("*/README.md"))]
    texts = {folder.name: (folder / "README.md").read_text(encoding="utf-8") for folder in folders}
    yield _index(texts)
    for folder in folders:
        yield _study(folder, texts[folder.name])


def question(text: str) -> str:
    r"""The question of a study, from its README; empty if it has none.

    Example:
        >>> question("# A\n\n**Question:** How many\nbits?\n\nMore.")
        'How many bits?'
    """
    match = _QUESTION.search(text)
    return " ".join(match[1].split()) if match else ""


def answer(text: str) -> str:
    r"""The first sentence of the answer of a study, from its README; empty if it has none.

    Example:
        >>> answer("**Answer:** [table.md](table.md). 8 bits\nlose 0.1 points. 4 bits lose 2.")
        '8 bits lose 0.1 points.'
    """
    match = _ANSWER.search(text)
    if match is None:
        return ""
    words = " ".join(_LINK_TO_TABLE.sub("", match[1]).split()).lstrip("- ")
    return _SENTENCE_END.split(re.sub(r"^\*\*[^*]*\*\* ", "", words))[0]


def _index(texts: dict[str, str]) -> Page:
    source = (EXPERIMENTS / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| \[(\w+)\]\(\w+/\) \| (.*) \|$", source, re.MULTILINE))
    rows = [
        (
            f"[{_title(text)}]({name}.md)",
            question(text) or _capital(listed.get(name, "")),
            _answer(text),
        )
        for name, text in texts.items()
    ]
    about = source.partition("\n| ")[0].replace("# Experiments", "# Gallery", 1)
    name = f"{FOLDER}/index"
    head = for_site(about, "experiments/README.md", name)
    parts = [head, "", table(COLUMNS, rows), contents(texts)]
    return Page(name, "\n".join(parts))


def _answer(text: str) -> str:
    return answer(text) or ("see its tables" if "|---" in text else NO_ANSWER)


def _study(folder: Path, text: str) -> Page:
    name = f"{FOLDER}/{folder.name}"
    source = folder.relative_to(ROOT).as_posix()
    parts = [for_site(text, f"{source}/README.md", name)]
    for path in sorted(folder.rglob("*.md")):
        if path.name != "README.md":
            inner = path.relative_to(ROOT).as_posix()
            parts.append(f"## {_heading(path.relative_to(folder))}\n")
            parts.append(for_site(path.read_text(encoding="utf-8"), inner, name))
    if figures := sorted(folder.rglob("*.svg")):
        parts.append("## Figures\n")
        parts += [_figure(path, name) for path in figures]
    return Page(name, "\n".join(parts))


def _figure(path: Path, page: str) -> str:
    place = posixpath.relpath(path.relative_to(ROOT).as_posix(), f"docs/{posixpath.dirname(page)}")
    caption = path.stem.replace("_", " ")
    return f"```{{figure}} {place}\n:alt: {caption}\n\n{caption}\n```\n"


def _heading(path: Path) -> str:
    """``kinds/table.md`` → ``Table: kinds``."""
    parent = path.parent.as_posix()
    return path.stem.replace("_", " ").capitalize() + ("" if parent == "." else f": {parent}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _title(text: str) -> str:
    return text.partition("\n")[0].lstrip("# ")
