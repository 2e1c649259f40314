"""Dataclasses as plain data, by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isnan, nan
from typing import Annotated

import pytest

from qat.base.errors import InputError
from qat.records.side_files.plain_data import (
    ABSENT,
    FLAT,
    AnyFloat,
    NonFinite,
    from_plain,
    to_plain,
)


@dataclass(frozen=True)
class Inner:
    count: int
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    on: bool
    pair: tuple[str, int]
    by_name: Mapping[str, Inner | None]
    ratio: AnyFloat | None = None
    note: str | None = field(default=None, metadata=ABSENT)
    beside: Inner | None = field(default=None, metadata=FLAT)


PLAIN = {"on": True, "pair": ["a", 1], "by_name": {"x": {"count": 2, "words": ["w"]}, "y": None}}
OUTER = Outer(True, ("a", 1), {"x": Inner(2, ("w",)), "y": None})


def test_absent_keys_are_left_out_and_flat_keys_lie_beside_the_others():
    assert from_plain(Outer, PLAIN) == OUTER
    assert to_plain(OUTER) == PLAIN | {"ratio": None}
    whole = PLAIN | {"ratio": 1, "note": "n", "count": 3, "words": []}
    outer = Outer(True, OUTER.pair, OUTER.by_name, 1, "n", Inner(3))
    assert from_plain(Outer, whole) == outer
    assert to_plain(outer) == whole


def test_what_json_has_no_number_for_is_a_word_where_it_is_allowed():
    assert to_plain([inf, -inf, nan]) == ["inf", "-inf", "nan"]
    assert from_plain(tuple[AnyFloat, ...], ["inf", "-inf", 2]) == (inf, -inf, 2)
    assert isnan(from_plain(AnyFloat, "nan"))
    with pytest.raises(InputError, match=r"^score must be a number, inf, got 'nan'$"):
        from_plain(Annotated[float, NonFinite(("inf",))], "nan", "score")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("on", 1, "on must be true or false, got 1"),
        ("pair", ["a"], "pair must be a list of 2, got ['a']"),
        ("pair", "ab", "pair must be a list, got 'ab'"),
        ("pair", ["a", True], "pair[1] must be an integer, got True"),
        ("pair", ["a", 1.0], "pair[1] must be an integer, got 1.0"),
        ("by_name", [], "by_name must be a mapping, got []"),
        ("by_name", {"x": 3}, "by_name.x must be a mapping, got 3"),
        ("by_name", {"x": {}}, "by_name.x.count is missing"),
        ("by_name", {"x": {"count": 1, "size": 2}}, "by_name.x.size is unknown"),
        ("by_name", {"x": {"count": 1, "words": [None]}}, "by_name.x.words[0] must be a text"),
        ("ratio", "much", "ratio must be a number, inf or -inf or nan, got 'much'"),
        ("ratio", True, "ratio must be a number, got True"),
        ("words", [], "count is missing"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(place, value, message):
    with pytest.raises(InputError) as caught:
        from_plain(Outer, PLAIN | {place: value})
    assert str(caught.value).startswith(message)
