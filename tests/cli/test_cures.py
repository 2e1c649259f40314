"""Cures are executed: what a message advises is typed, and accepted.

One test types the cures of wrong requests; another collects the words ``KEY=VALUE`` from every
message that the source can raise, so that a message to come is held as well.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from qat.config.bases import Bases
from qat.config.checks.combinations import check_config
from qat.config.checks.unread import check_read
from qat.config.compose import composer, typed
from qat.config.keys import choosable, is_key, key_types
from qat.config.words.command_line import known_words, sort_words
from qat.config.words.overrides import quoted_word

SOURCE = Path(__file__).parents[2] / "qat"
WORD = re.compile(r"(?<![\w.@/{'\"-])([a-z][\w./@]*=(?:\[[^\]]*\]|[\w./-]+[\w\]]|\w))(?![\w{(])")
ADVICE = re.compile(r"\b(set|add|use|take|write|give|needs|goes with)\b")
# What a message shows as an example of the user's own, or says is not to be.
EXAMPLES = ("=package.", "=DIR", "=FILE", "=VALUE", "RUN_DIR", "=NAME")

WRONG = {
    "scheme.weight.narrow=true scheme.weight.signed=false": 2,
    "quantizer@scheme.act=lsq scheme.act.symmetric=false": 2,
    "quantizer@scheme.act=lsq scheme.act.scale=power_of_two": 2,
    "quantizer@scheme.act=lsq scheme.act.options.start=paper observer@scheme.act=mse": 2,
    "scheme.placement=integer mode=dynamic": 2,
    "trainer.devices=2": 1,
    "trainer.devices=2 mode=qat trainer.compile=model": 1,
    "memory.prefetch=true mode=float": 1,
    "memory.reuse=false memory.in_place=true": 2,
    "export=onnx": 2,
    "mode=mixed allocate.name=learned": 1,
    "mode=mixed scheme.placement=integer allocate=learned": 1,
    "mode=mixed sensitivity.metric=weight_mse": 1,
    "optimizer.nesterov=true optimizer.momentum=0": 0,
}
"""Wrong request → how many cures its message gives at least."""
QUICK = 5
"""So many of them are of the quick tests."""


@pytest.fixture(scope="module")
def refusal():
    """What is said of some overrides by the checks that need no torch; None if nothing is."""
    with composer(None):
        bases = Bases(None)

        def ask(*words):
            overrides = [quoted_word(word, multirun=False) for word in words]
            try:
                config = typed(bases.compose(overrides))
                check_config(config)
                check_read([(overrides, config)])
            except ValueError as error:
                return str(error)
            return None

        yield ask


def cures(message, wrong):
    """The words of the command line that a message advises, those of the request aside."""
    advice = ADVICE.search(message)
    found = dict.fromkeys(WORD.findall(message[advice.start() :])) if advice else {}
    return [word for word in found if word not in wrong and is_typed(word)]


def is_typed(word):
    key = word.partition("=")[0]
    return (key in choosable() or is_key(key)) and not any(end in word for end in EXAMPLES)


@pytest.mark.parametrize(
    "line",
    [pytest.param(line, marks=[pytest.mark.slow] * (i >= QUICK)) for i, line in enumerate(WRONG)],
)
def test_each_cure_of_a_message_is_accepted(refusal, line):
    wrong = line.split()
    message = refusal(*wrong)
    assert message is not None
    found = cures(message, wrong)
    assert len(found) >= WRONG[line], message
    for cure in found:
        again = refusal(*wrong, cure)
        if again is not None and again != message:  # a cure may lead to the next thing to say
            for other in cures(again, [*wrong, cure]):
                again = refusal(*wrong, cure, other) and again
        assert again is None or again != message, (cure, again)


@cache
def raised_texts():
    """``(file:line, text)`` of every message in a raise; what is filled in is ``{...}``."""
    return list(each_raised_text())


def each_raised_text():
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                for argument in node.exc.args:
                    yield f"{path.relative_to(SOURCE)}:{node.lineno}", text_of(argument)


def text_of(node):
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return "{}"


def test_every_word_that_a_message_advises_composes(refusal):
    """All words of one key → value are tried at once; those of one key one after the other."""
    advised = {word for _, text in raised_texts() for word in WORD.findall(text) if is_typed(word)}
    advised = {word for word in advised if "{" not in word}
    assert len(advised) > 20
    rounds = []
    for word in sorted(advised):
        key = word.partition("=")[0]
        free = next((r for r in rounds if key not in r), None)
        if free is None:
            rounds.append(free := {})
        free[key] = word
    for words in rounds:
        if words.get("model") == "model=timm":  # the message has model.name=NAME beside it
            words.setdefault("model.name", "model.name=resnet18")
        typed(Bases(None).compose([*words.values()]))


def test_messages_of_the_command_line_name_keys_in_full():
    short = {key.rpartition(".")[2] for key in key_types()} - {"name", "start"}
    for place, text in raised_texts():
        if place.startswith("cli/"):
            for word in WORD.findall(text):
                key = word.partition("=")[0]
                said = re.search(rf"got [^;:]*\b{re.escape(word)}", text)
                assert is_typed(word) or said or key not in short, (place, word)


@pytest.mark.parametrize("word", ["data.options.image_size=16", "++data.options.image_size=16"])
def test_a_new_key_of_a_free_mapping_needs_no_plus(word):
    (known,) = known_words(sort_words([word]), lambda words, folder: True).overrides
    with composer(None):
        config = typed(Bases(None).compose(["data=synthetic", known]))
    assert config.data.options["image_size"] == 16


@pytest.mark.parametrize(
    ("word", "form"),
    [
        ("seed=(1", "write seed=NUMBER"),
        ("scheme.rules=[{", "write scheme.rules=[A,B]"),
        ("force=)", "write force=true"),
    ],
)
def test_what_cannot_be_read_is_told_how_to_be_written(qat, home, word, form):
    code, out, err = qat("run", word)
    assert (code, out) == (2, "")
    assert err.rstrip().endswith(form)
