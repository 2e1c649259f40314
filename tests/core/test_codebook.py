"""Tables of values, against numpy's search over all distances."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qat.core.codebook import Codebook
from qat.core.layout import Layout

# Half precision, so that the oracle's distances are exact in double.
FLOATS = st.floats(-100, 100, width=16)


@given(st.lists(FLOATS, min_size=2, max_size=20), st.lists(FLOATS, min_size=1, max_size=30))
def test_the_code_is_of_the_nearest_level(levels, values):
    ascending = np.sort(np.array(levels, np.float32))
    book = Codebook(torch.from_numpy(ascending)[None])
    codes = book.encode(torch.tensor(values, dtype=torch.float32))
    decoded = book.decode(codes)
    # argmin takes the first of equal distances: the lower level.
    distances = np.abs(np.float64(values)[:, None] - np.float64(ascending))
    assert codes.dtype == torch.int32
    assert decoded.tolist() == ascending[distances.argmin(axis=1)].tolist()


def test_halfway_goes_to_the_lower_level_and_infinities_to_the_ends():
    book = Codebook(torch.tensor([[-2.0, 0.0, 1.0]]))
    x = torch.tensor([-torch.inf, -1.0, -0.99, 0.5, 0.51, torch.inf])
    assert book.encode(x).tolist() == [0, 0, 1, 1, 2, 2]


def test_each_slice_has_its_own_levels():
    book = Codebook(torch.tensor([[-1.0, 1.0], [0.0, 10.0]]), Layout(axis=0, channels=2))
    x = torch.tensor([[0.5, -3.0], [4.0, 6.0]])
    assert book.encode(x).tolist() == [[1, 0], [0, 1]]
    assert book.decode(book.encode(x)).tolist() == [[1.0, -1.0], [0.0, 10.0]]


@pytest.mark.parametrize(
    ("levels", "bits"), [(2, 1), (3, 2), (4, 2), (5, 3), (16, 4), (17, 5), (256, 8), (65536, 16)]
)
def test_a_code_takes_the_logarithm_of_the_levels(levels, bits):
    assert Codebook(torch.arange(levels).float()[None]).bits == bits


def test_nan_has_no_code():
    with pytest.raises(ValueError, match="NaN has no code"):
        Codebook(torch.tensor([[0.0, 1.0]])).encode(torch.tensor([torch.nan]))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        pytest.param(torch.tensor([0.0, 1.0]), "must have shape", id="one axis"),
        pytest.param(torch.tensor([[0.0]]), "must have shape", id="one level"),
        pytest.param(torch.zeros(1, 65537), "must have shape", id="too many"),
        pytest.param(torch.zeros(2, 4), "must have shape", id="slices"),
        pytest.param(torch.zeros(1, 4).double(), "float32", id="double"),
        pytest.param(torch.tensor([[0.0, torch.inf]]), "finite", id="infinite"),
        pytest.param(torch.tensor([[0.0, torch.nan]]), "finite", id="nan"),
        pytest.param(torch.tensor([[1.0, 0.0]]), "ascend", id="descending"),
    ],
)
def test_a_table_that_cannot_be_searched_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        Codebook(values)
