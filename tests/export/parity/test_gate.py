"""The parity gate, on numbers that can be counted by hand."""

import math

import numpy as np
import pytest

from qat.export.parity import gate
from qat.export.parity.gate import (
    LayerAgreement,
    LogitAgreement,
    ParityThresholds,
    compare_layers,
    compare_logits,
    difference_in_steps,
    first_diverging,
)
from qat.export.parity.pieces import pieces

CODES = np.array([[10, 20, 30], [50, 40, 30], [7, 7, 7], [0, 255, 1]])
GOOD = LogitAgreement(100, 1.0, 1.0, 1.0, math.inf)


def test_equal_logits_agree_in_all():
    found = compare_logits(CODES, CODES, 1)
    assert found == LogitAgreement(4, 1.0, 0.0, 1.0, math.inf)


def test_differences_are_counted():
    other = CODES.copy()
    other[0, 2] = 31  # one step
    other[1, 1] = 53  # 13 steps, another class
    found = compare_logits(CODES, other, 1)
    assert found.top1_agreement == 3 / 4
    assert found.max_steps == 13
    assert found.within_one_step == 11 / 12
    assert found.sqnr_db == pytest.approx(10 * math.log10(np.square(CODES).sum() / (1 + 13**2)))


def test_values_on_a_grid_are_counted_like_its_codes():
    scale = np.float32(0.0371)
    other = CODES + np.eye(4, 3, dtype=int)
    values, others = CODES.astype(np.float32) * scale, other.astype(np.float32) * scale
    found = compare_logits(values, others, float(scale))
    sqnr_db = pytest.approx(10 * math.log10(np.square(CODES).sum() / 3))
    assert found == LogitAgreement(4, 3 / 4, 1.0, 1.0, sqnr_db)  # the row of equal logits moved
    assert set(np.unique(difference_in_steps(values, others, float(scale)))) == {0.0, 1.0}


def test_values_off_the_grid_keep_their_fraction():
    steps = difference_in_steps(np.array([0.0, 0.0]), np.array([0.3, -0.7]), 0.5)
    assert steps == pytest.approx([0.6, 1.4])


def test_unsigned_codes_do_not_wrap():
    a, b = np.array([3], np.uint8), np.array([5], np.uint8)
    assert difference_in_steps(a, b, 1) == difference_in_steps(b, a, 1) == [2]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_infinitely_far(bad):
    broken = CODES.astype(float)
    broken[3, 1] = bad  # the largest of its row: the class itself would not tell
    for pair in [(CODES, broken), (broken, CODES), (broken, broken)]:
        found = compare_logits(*pair, 1)
        assert found.max_steps == math.inf
        assert found.top1_agreement == 3 / 4


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match=r"shapes differ: simulated \(4, 3\), runtime \(3, 3\)"):
        compare_logits(CODES, CODES[:3], 1)
    with pytest.raises(ValueError, match=r"nothing to compare in tensors of shape \(0, 3\)"):
        compare_logits(CODES[:0], CODES[:0], 1)
    with pytest.raises(ValueError, match=r"logits must be \[N, classes\], got shape \(3,\)"):
        compare_logits(CODES[0], CODES[0], 1)
    for step in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="a step must be positive and finite, got"):
            compare_logits(CODES, CODES, step)
    with pytest.raises(ValueError, match=r"layer conv1: shapes differ"):
        compare_layers([("conv1", CODES, CODES[:2], 1)])


def test_the_first_layer_that_diverges_is_named():
    off = CODES.copy()
    off[0, 0] += 1
    further = off.copy()
    further[0, 1] += 4
    rows = compare_layers(
        [("a", CODES, CODES, 1.0), ("b", CODES, off, 1.0), ("c", 2 * CODES, 2 * further, 2.0)]
    )
    assert rows[0] == LayerAgreement("a", 0.0, 1.0, 0.0)
    assert rows[1] == LayerAgreement("b", 1.0, 1.0, 1 / 12)
    assert rows[2] == LayerAgreement("c", 4.0, 11 / 12, 2 / 12)
    assert first_diverging(rows) == rows[1]
    assert first_diverging(rows, beyond_steps=1) == rows[2]
    assert first_diverging(rows, beyond_steps=4) is None


@pytest.mark.parametrize("name", ["top1_agreement", "within_one_step"])
@pytest.mark.parametrize("value", [-0.1, 99.9, math.nan])
def test_shares_are_checked(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a share"):
        ParityThresholds(**{name: value})


def test_steps_are_checked():
    with pytest.raises(ValueError, match="max_steps must be 0 steps or more, got -1"):
        ParityThresholds(max_steps=-1)
    with pytest.raises(ValueError, match="layer_steps must be 0 steps or more, got nan"):
        ParityThresholds(layer_steps=math.nan)
    with pytest.raises(ValueError, match="sqnr_db must be a number"):
        ParityThresholds(sqnr_db=math.nan)


def test_a_layer_is_compared_in_pieces_as_in_one(monkeypatch):
    """21 codes in pieces of four; three differ, one by more than a step."""
    simulated = np.arange(21).reshape(3, 7)
    runtime = simulated.copy()
    runtime.flat[[3, 8, 20]] += [1, -5, 1]
    monkeypatch.setattr(gate, "pieces", lambda count: pieces(count, 4))
    [found] = compare_layers([("conv", simulated, runtime, 1.0)])
    assert found == LayerAgreement("conv", 5.0, 20 / 21, 3 / 21)
