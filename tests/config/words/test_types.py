"""Values against the types of the schema, before they are composed."""

import pytest

from qat.base.errors import RequestError
from qat.config.words.types import MOST_DIGITS, check_words, expected, parsed, wrong_type


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("trainer.max_epochs", "an integer, 1 to 1000000"),
        ("optimizer.lr", "a number, above 0, at most 100"),
        ("force", "true or false"),
        ("scheme.act.signed", "true or false, or null"),
        ("mode", "a word"),
        ("data.mean", "a list, [A,B], each a number, -1 to 2"),
        ("data.options", "a mapping, {KEY:VALUE}"),
        ("no.key", "another value"),
    ],
)
def test_what_a_key_takes(key, text):
    assert expected(key).startswith(text)


@pytest.mark.parametrize(
    "word",
    [
        "seed=3",
        "seed='3'",
        "optimizer.lr=1",
        "optimizer.lr=1e-3",
        "force=yes",
        "scheme.act.signed=null",
        "mode=3",
        "data.mean=[0,0.5]",
        "data.options={a:1}",
        "seed=${float.seed}",
        "seed=1,2",
        "~data",
        "optimizer=sgd",
        "experiment=null",
        "no.key=x",
        "seed=(",
    ],
)
def test_allowed_or_left_for_hydra(word):
    check_words([word])


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("seed=1.5", "seed must be an integer, 0 to 9223372036854775807, got 1.5"),
        ("seed=true", "got true"),
        ("seed=null", "got null"),
        ("force=5", "force must be true or false, got 5"),
        ("mode=[a]", "mode must be a word, got [a]"),
        ("data.mean=[a]", "got [a]"),
        ("ptq=fold", "ptq must be a list, [A,B], each a value, got fold: write ptq=[fold]"),
        ("data.mean=0.5", "got 0.5: write data.mean=[0.5]"),
        ("data.options=3", "data.options must be a mapping, {KEY:VALUE}, got 3"),
        ("optimizer=3", "optimizer=3 names no file of group optimizer: write optimizer=NAME with"),
        (
            "+seed=" + "9" * MOST_DIGITS,
            "+seed has a number of 100 digits, which no key takes, 0 to",
        ),
    ],
)
def test_refused(word, message):
    with pytest.raises(RequestError) as refused:
        check_words(["mode=qat", word])
    assert message in str(refused.value)


def test_values_that_hydra_cannot_parse_have_no_type():
    assert parsed("seed=3").value() == 3
    assert parsed("seed=(") is None
    assert wrong_type("no.key", object()) is None
