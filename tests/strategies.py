"""Hypothesis strategies that several rooms' tests share."""

import json

import numpy as np
from hypothesis import strategies as st

from qat.core.grid import IntGrid


def grids(max_bits=16):
    """Every grid there is."""
    unsigned = st.builds(IntGrid, st.integers(2, max_bits), st.just(False))
    signed = st.builds(IntGrid, st.integers(2, max_bits), st.just(True), st.booleans())
    return unsigned | signed


def values(size=64, largest=1e4):
    """Float32 values, zeros and ties among them."""
    number = st.floats(-largest, largest, width=32, allow_nan=False, allow_subnormal=False)
    return st.lists(number, min_size=1, max_size=size).map(lambda v: np.array(v, np.float32))


def ranges(largest=1e4):
    """``(low, high)`` with some width, of any sign."""
    number = st.floats(-largest, largest, width=32, allow_nan=False, allow_subnormal=False)
    pair = st.tuples(number, number).map(lambda p: (min(p), max(p)))
    return pair.filter(lambda p: max(p[1], 0) - min(p[0], 0) > 1e-3)


ACTING_TEXTS = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\r forged",
    "line\nend",
    "\u202egnp.exe",
    "[red]rich[/]",
    "[/]",
    ":warning:",
    "=HYPERLINK(1)",
    "@SUM(A1)",
    "-2+3",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "$\\frac{1}$",
    "$x",
    "a|b",
    "**b**",
    "[x](javascript:1)",
    "\\input{x}",
    "\x00",
    "\u2028",
    "../../etc/passwd",
    "",
    "x" * 3000,
)


def hostile_texts():
    """Texts that act where they are shown unguarded, and any others; no lone surrogates missing."""
    anything = st.text(st.characters(codec=None), max_size=20)
    return st.sampled_from(ACTING_TEXTS) | st.builds(str.__add__, anything, anything)


def hostile_values():
    """Any JSON value, of any type, in no sensible place."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-(10**30), 10**30)
        | st.floats(allow_nan=True, allow_infinity=True)
        | hostile_texts()
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile_texts(), inner),
        max_leaves=6,
    )


def damaged(draw, data, texts=False):
    """A copy of nested data with up to three of its places filled with something else."""
    copy = json.loads(json.dumps(data))
    for _ in range(draw(st.integers(1, 3))):
        place, key = copy, None
        for _ in range(draw(st.integers(1, 5))):
            keys = list(place) if isinstance(place, dict) else range(len(place))
            if not keys:
                break
            holder, key = place, draw(st.sampled_from(list(keys)))
            if not isinstance(place[key], dict | list):
                break
            place = place[key]
        if key is None:
            continue
        action = "text" if texts else draw(st.sampled_from(["value", "text", "drop"]))
        if action == "drop":
            del holder[key]
            place = copy
        elif action == "value" or isinstance(holder[key], str):
            holder[key] = draw(hostile_values() if action == "value" else hostile_texts())
    return copy


@st.composite
def damaged_records(draw, record):
    """A run record in which something is not what it should be."""
    return damaged(draw, record)


@st.composite
def damaged_files(draw, content):
    """Bytes of a file that was cut, patched, doubled, or replaced by something else."""
    kind = draw(st.sampled_from(["cut", "patch", "junk", "empty", "doubled", "bom", "deep", "big"]))
    if kind == "cut":
        return content[: draw(st.integers(0, len(content)))]
    if kind == "patch" and content:
        place = draw(st.integers(0, len(content) - 1))
        return content[:place] + draw(st.binary(max_size=8)) + content[place + 1 :]
    if kind == "junk":
        return draw(st.binary(max_size=200))
    endings = {
        "doubled": content + content,
        "bom": b"\xef\xbb\xbf" + content,
        "deep": b"[" * 50_000,
        "big": b'{"a": ' + b"9" * 6000 + b"}",
    }
    return endings.get(kind, b"")
