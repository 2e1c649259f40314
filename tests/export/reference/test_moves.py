"""Operations that move codes, against numpy."""

import numpy as np

from qat.export.program import Step
from qat.export.reference.moves import resize
from tests.export.reference.programs import form, run

GIVEN = form(0.1, 9)
X = np.arange(48).reshape(2, 2, 3, 4)


def moved(kind, x=X, **attributes):
    given = x if isinstance(x, list) else [x]
    return run(kind, given, [GIVEN] * (len(given) + 1), attributes)


def test_codes_are_moved_as_they_are():
    assert np.array_equal(moved("reshape", shape=(24,)), X.reshape(2, 24))
    assert np.array_equal(moved("permute", dims=(0, 2, 3, 1)), X.transpose(0, 2, 3, 1))
    assert np.array_equal(moved("concat", [X, X + 50], axis=1)[:, 2:], X + 50)
    ranges = ((0, 2, 1), (1, 3, 1), (0, 4, 2))
    assert np.array_equal(moved("slice", ranges=ranges), X[:, :, 1:, ::2])


def test_padding_is_the_code_of_zero():
    found = moved("pad", widths=((0, 0), (0, 0), (1, 0), (0, 2)))
    assert np.array_equal(found[:, :, 1:, :4], X)
    assert set(found[:, :, 0].ravel()) == set(found[..., 4:].ravel()) == {9}


def test_rows_and_columns_are_selected_by_index():
    step = Step("up", "resize", ("x",), "y", {"rows": (0, 0, 2), "columns": (3, 1)})
    assert np.array_equal(resize(step, [X]), X[:, :, [0, 0, 2]][..., [3, 1]])
    assert np.array_equal(moved("resize", rows=(2,), columns=(0,)), X[:, :, 2:, :1])
