"""Pages in Chinese keep step with the English ones: commands, tables, headings, links, numbers."""

import re
from collections import Counter

import pytest

from docs._generate.links import split_code
from docs._generate.pages import ROOT

PAIRS = {"README.md": "README.zh.md", "docs/start.md": "docs/start.zh.md"}
TERMS = {
    "README.md": ("训练后量化", "量化感知训练", "校准", "伪量化", "混合精度", "敏感度", "逐通道"),
    "docs/start.md": ("量化感知训练", "校准", "伪量化", "混合精度", "训练后量化"),
}
NUMBER = r"\d+(?:[.,]\d+)*"


class Part:
    """The text from one heading to the next."""

    def __init__(self, level, text):
        self.level = level
        blocks = list(split_code(text))
        self.code = [_without_comments(block) for is_code, block in blocks if is_code]
        lines = "".join(block for is_code, block in blocks if not is_code).splitlines()
        self.table = [line for line in lines if line.startswith("|")]
        self.prose = "\n".join(line for line in lines if not line.startswith("|"))

    def links(self):
        return Counter(re.findall(r"\]\(([^)\s]+)\)", self.prose))

    def spans(self):
        return Counter(re.findall(r"`[^`]+`", " ".join(self.prose.split())))

    def numbers(self):
        return Counter(re.findall(NUMBER, re.sub(r"`[^`]+`|\]\([^)]*\)", " ", self.prose)))

    def cells(self):
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in self.table]
        return [
            [(sorted(re.findall(NUMBER, cell)), re.findall(r"`[^`]+`", cell)) for cell in row]
            for row in rows
        ]


def _without_comments(block):
    if not block.startswith("```console"):
        return block
    return "\n".join(re.sub(r"(^|\s+)#.*", "", line) for line in block.splitlines())


def parts(path):
    """The parts of a page, without the line of languages below its title, and without marks."""
    text = (ROOT / path).read_text(encoding="utf-8")
    text = re.sub(r"\n\[(English|中文)\].*\n", "", text, count=1)
    text = re.sub(r"<!-- not run:.*?-->\n", "", text, flags=re.DOTALL)
    found, level, lines = [], 0, ""
    for is_code, block in split_code(text):
        for line in block.splitlines(keepends=True):
            mark = None if is_code else re.match(r"(#+) ", line)
            if mark:
                found.append(Part(level, lines))
                level, lines = len(mark[1]), ""
            else:
                lines += line
    return [*found, Part(level, lines)]


@pytest.fixture(params=PAIRS, scope="module")
def pair(request):
    return parts(request.param), parts(PAIRS[request.param])


def test_headings_have_the_same_levels_in_the_same_order(pair):
    english, chinese = pair
    assert [part.level for part in english] == [part.level for part in chinese]
    assert len(english) > 5


@pytest.mark.parametrize("what", ["code", "cells", "links", "spans", "numbers"])
def test_each_section_has_the_same(pair, what):
    for english, chinese in zip(*pair, strict=True):
        one, other = (getattr(part, what) for part in (english, chinese))
        assert (one() if callable(one) else one) == (other() if callable(other) else other)


@pytest.mark.parametrize("name", PAIRS)
def test_they_link_to_each_other_and_use_the_terms_of_the_field(name):
    english, chinese = ((ROOT / page).read_text(encoding="utf-8") for page in (name, PAIRS[name]))
    assert f"[中文]({PAIRS[name].rpartition('/')[2]})" in english
    assert f"[English]({name.rpartition('/')[2]})" in chinese
    assert not [term for term in TERMS[name] if term not in chinese]


def test_comments_of_commands_are_translated_and_not_compared():
    one, other = (
        "```console\nqat run  # 8 bits\n```\n",
        "```console\nqat run   # 8 bit，校准\n```\n",
    )
    assert Part(1, one).code == Part(1, other).code != Part(1, one.replace("run", "list")).code


def test_a_number_that_differs_is_seen():
    one, other = "| a | 1.5 (3) |\n", "| 甲 | 1.6 (3) |\n"
    assert Part(1, one).cells() != Part(1, other).cells()
    assert Part(1, one).cells() == Part(1, other.replace("1.6", "1.5")).cells()
