"""Every code block of README and docs runs in a test, or says why not; its names exist."""

import re

import pytest

from docs._generate.pages import ROOT
from qat.cli.help import SUMMARIES
from qat.cli.main import command_parser
from qat.config.register import register_schema
from qat.config.words.command_line import SHOWING, known_words, sort_words
from tests.docs.blocks import PAGES, RUN, Block, blocks_of, every_block, words_of
from tests.docs.reader import RUNNERS

BLOCKS = every_block()
CONSOLES = [block for block in BLOCKS if block.language == "console"]
COMMANDS = [(block, command) for block in CONSOLES for command in block.commands()]


def problem(block):
    """What is wrong with a block that neither runs nor says why; empty if nothing is."""
    if block.language not in RUN:
        return f"{block.place}: {block.language or 'no language'}: write one of {', '.join(RUN)}, "\
            "or text for an output"  # fmt: skip
    unknown = [s for s in block.marks if s and not any(c.startswith(s) for c in block.commands())]
    if unknown or not all(block.marks.values()):
        return f"{block.place}: a mark names no command of the block, or gives no reason: {unknown}"
    if block.language != "console" or block.reason():
        return ""
    commands = block.commands()
    alone = [c for c in commands if words_of(c)[0] not in RUNNERS and not block.reason(c)]
    if alone or not commands:
        return f"{block.place}: nothing runs {alone}: put <!-- not run: REASON --> above the block"
    return ""


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_a_block_runs_or_says_why_not(block):
    assert not problem(block)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```console\nqat list\n```\n", ""),
        ("```text\nrm everything\n```\n", None),
        ("```\nqat list\n```\n", "it.md:1: no language"),
        ("```console\nmake run  # builds\n```\n", "it.md:1: nothing runs ['make run']"),
        ("```console\nqat list\nmake run\n```\n", "nothing runs ['make run']"),
        ("Words.\n\n<!-- not run: builds -->\n```console\nmake run\n```\n", ""),
        ("<!-- not run: `make`: builds -->\n\n```console\nmake run\nqat list\n```\n", ""),
        ("<!-- not run: `make test`: builds -->\n```console\nmake run\n```\n", "no command of"),
        ("<!-- not run:  -->\n```console\nmake run\n```\n", "gives no reason"),
        ("<!-- not run: a -->\nWords.\n\n```console\nmake run\n```\n", "nothing runs"),
        ("```ruby\nputs 1\n```\n", "it.md:1: ruby: write one of console, python, yaml"),
        ("```console\n# nothing\n```\n", "nothing runs"),
    ],
)  # fmt: skip
def test_what_is_a_problem(text, expected):
    (block,) = blocks_of("it.md", text)
    assert block.language == "text" if expected is None else expected in problem(block)
    assert expected is None or bool(problem(block)) == bool(expected)


def test_commands_of_a_block():
    code = "$ qat run 'a=b # c' \\\n      d=e   # why\n...\ntop-1 fell\n$ qat list\n"
    assert Block("", 1, "console", code, {}).commands() == ["qat run 'a=b", "qat list"]
    code = "qat run data.path=a#b\n# a line of words\nqat list     # names\n"
    assert Block("", 1, "console", code, {}).commands() == ["qat run data.path=a#b", "qat list"]


@pytest.mark.parametrize(
    ("block", "command"), COMMANDS, ids=[f"{block.place} {c}" for block, c in COMMANDS]
)
def test_names_in_a_command_exist(block, command):
    """Also in a block that does not run: commands, flags, keys, targets, extras."""
    words = words_of(command)
    if words[0] == "qat" and words[1] == "run":
        assert_keys_exist(words[2:])
    elif words[0] == "qat":
        assert command_parser().parse_args(words[1:]).action
    elif words[0] == "make":
        targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert {word for word in words[1:] if "=" not in word} <= set(targets)
    elif words[0] == "pip" and (extra := re.search(r"qatlab\[(\w+)\]", command)):
        assert f"\n{extra[1]} = [" in (ROOT / "pyproject.toml").read_text()


def assert_keys_exist(words):
    register_schema()
    words = [word for word in words if word.partition("=")[0] not in SHOWING]
    own = ROOT / "examples" / "own_method" / "conf"
    words = [str(own) if word == "conf" else word for word in words]
    known_words(sort_words(words), lambda *_: True)


SPANS = [
    (page, span)
    for page in PAGES
    for span in re.findall(r"`(qat [a-z][^`]*)`", (ROOT / page).read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "span"), SPANS, ids=[" ".join(span) for span in SPANS])
def test_commands_within_the_prose_exist(page, span):
    name, *words = " ".join(span.split()).split(" ")[1:]
    assert name in SUMMARIES
    flags = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert not flags - flags_of(name)


def flags_of(name):
    if name == "run":
        return {"--help", "--from", "--config-dir", "--cfg", "--info"}
    (group,) = [a for a in command_parser()._actions if hasattr(a, "choices") and a.choices]
    return set(group.choices[name]._option_string_actions)
