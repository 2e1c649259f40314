"""Every key of the schema, given what it cannot take: one line with the key, and exit code 2."""

import copy
from dataclasses import fields, is_dataclass
from typing import get_args

import pytest
from hydra.core.override_parser.types import QuotedString

from qat.base.errors import InputError, RequestError
from qat.config.checks.combinations import check_config
from qat.config.checks.key_ranges import RANGES
from qat.config.compose import compose_points
from qat.config.schema import RunConfig
from qat.config.words.types import check_words, parsed
from tests.command_line import SMALL

HUGE = "9" * 400
HOSTILE = {
    int: ["-9223372036854775809", "true", "1.5", "nan", "inf", "-1e30", "abc", "''", HUGE],
    float: ["nan", "1e300", "true", "-inf", "abc", "''", "-1e30", HUGE, "1e999"],
    bool: ["5", "''", "abc", "1.5", HUGE],
    str: ["''", "[a,b]", "{a: 1}", "true", HUGE, '"a\tb"'],
}
TAKEN = {("study.question", "''")}
"""A study may ask nothing."""


def leaves(cls=RunConfig, place=""):
    """``(class, field, key in full, type)`` of every key that is no group."""
    for entry in fields(cls):
        if is_dataclass(entry.type):
            yield from leaves(entry.type, f"{place}{entry.name}.")
        else:
            yield cls, entry, f"{place}{entry.name}", entry.type


LEAVES = list(leaves())


def basic(kind):
    """The plain type of a key or, of a list, of its elements; None for mappings."""
    if getattr(kind, "__origin__", None) is dict:
        return None
    for one in (kind, *get_args(kind)):
        if one in HOSTILE:
            return one
        if getattr(one, "__origin__", None) is list:
            return basic(one.__args__[0])
    return None


def is_list(kind):
    return any(getattr(one, "__origin__", None) is list for one in (kind, *get_args(kind)))


@pytest.fixture(scope="module")
def config():
    (point,) = compose_points([], multirun=False)
    return point.config


def attempt(word, config):
    """What is said of a word; None if it is taken. Anything but our own errors goes through."""
    try:
        check_words([word])
        override = parsed(word)
        changed = copy.deepcopy(config)
        *parents, name = override.key_or_group.split(".")
        owner = changed
        for parent in parents:
            owner = getattr(owner, parent)
        setattr(owner, name, plain(override.value()))
        check_config(changed)
    except (RequestError, InputError) as error:
        return str(error)
    return None


def plain(value):
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.text if isinstance(value, QuotedString) else value


def test_every_numeric_key_has_a_range():
    numeric = [(cls, f.name) for cls, f, _, kind in LEAVES if basic(kind) in (int, float)]
    assert len(numeric) > 60
    assert not [key for key in numeric if key[1] not in RANGES[key[0]]]


def test_no_range_is_of_a_key_that_is_not_there():
    for cls, table in RANGES.items():
        assert table.keys() <= {entry.name for entry in fields(cls)}


@pytest.mark.parametrize("values", ["a few", pytest.param("all", marks=pytest.mark.slow)])
def test_hostile_values_are_refused_in_a_line_that_names_the_key(config, values):
    count = 3 if values == "a few" else None
    for *_, key, kind in LEAVES:
        for value in hostile(key, kind)[:count]:
            word = f"{key}=[{value}]" if basic(kind) and is_list(kind) else f"{key}={value}"
            said = attempt(word, config)
            if (key, value) in TAKEN:
                assert said is None
                continue
            assert said is not None, f"{word} is taken"
            assert key.rpartition(".")[2] in said
            assert "\n" not in said
            assert len(said) < 300


def hostile(key, kind):
    if key == "scheme.rules":
        return ["3", "[3]", "null"]
    return HOSTILE.get(basic(kind), ["3", "[1]", "null", "true"])


def test_null_is_refused_where_a_value_is_needed(config):
    for *_, key, kind in LEAVES:
        said = attempt(f"{key}=null", config)
        if type(None) not in get_args(kind):
            assert said is not None
            assert f"{key} must be" in said
            assert said.endswith("got null")


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("seed=1.5", ["seed must be an integer, 0 to 9223372036854775807, got 1.5"]),
        ("seed=9223372036854775808", ["seed must be 0 to 9223372036854775807, got 92233720368547"]),
        ("seed=" + HUGE, ["seed has a number of 400 digits", "0 to 9223372036854775807"]),
        ("trainer.max_epochs=true", ["trainer.max_epochs must be an integer, 1 to 1000000"]),
        ("optimizer.lr=nan", ["optimizer.lr must be above 0, at most 100, got nan"]),
        ("data.augment.pad=100000", ["data.augment.pad must be 0 to 1024, got 100000"]),
        (
            "allocate=[0.5,0.5]",
            ["allocate=[0.5,0.5] names no file", "allocate=NAME with one"],
        ),
        ("model=[a,b]", ["model=[a,b] names no file of group model"]),
        ("scheme={bits: 4}", ["scheme={bits:4} names no file of group scheme"]),
        ("optimizer=3", ["optimizer=3 names no file of group optimizer", "adam, adamw, sgd"]),
        ("data.path=''", ["data.path is empty: give data.path=VALUE"]),
        ("memory.reuse=5", ["memory.reuse must be true or false, got 5"]),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_the_line_says_key_value_range_and_cure(qat, home, word, parts):
    code, out, err = qat("run", *SMALL, word)
    assert (code, out, err.count("\n")) == (2, "", 1)
    for part in parts:
        assert part in err
    assert not (home / "runs").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["data.mean=[1000]", "data.std=[0.5]"], "data.mean must be -1 to 2; pixels are 0 to 1"),
        (["data.mean=[0.5]", "data.std=[0]"], "data.std must be 0.001 to 10; pixels are 0 to 1"),
        (["data.mean=[0.5]", "data.std=[1e-30]"], "got 1e-30"),
    ],
)
def test_a_normalisation_beyond_reason_is_refused(qat, words, part):
    code, _, err = qat("run", *SMALL, *words)
    assert code == 2
    assert part in err


def test_values_in_files_of_the_users_are_refused_alike(qat, home):
    folder = home / "mine" / "experiment"
    folder.mkdir(parents=True)
    (folder / "slip.yaml").write_text("# @package _global_\nseed: 1.5\n")
    code, _, err = qat("run", *SMALL, "--config-dir=mine", "experiment=slip")
    assert code == 2
    assert "experiment/slip" in err
    assert "seed must be an integer, 0 to 9223372036854775807" in err
