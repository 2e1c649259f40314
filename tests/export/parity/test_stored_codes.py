"""Codes are read a group at a time."""

import numpy as np
import pytest

from qat.export.parity.stored_codes import StoredCodes, groups_within


class Session:
    """Notes what is asked for; the codes of a tensor are its letter's number."""

    def __init__(self):
        self.requests = []

    def run_for(self, images, names):
        self.requests.append(list(names))
        return {name: images + ord(name[0]) for name in names}


def test_a_group_is_computed_once_in_each_reading():
    session = Session()
    codes = StoredCodes(session, np.zeros(2), [["a", "b"], ["c"]])
    for _ in range(2):
        assert {name: int(codes[name][0]) for name in codes} == {"a": 97, "b": 98, "c": 99}
    assert session.requests == [["a/codes", "b/codes"], ["c/codes"]] * 2
    assert len(codes) == 3


def test_an_unknown_tensor():
    with pytest.raises(KeyError, match="z"):
        StoredCodes(Session(), np.zeros(2), [["a"]])["z"]


@pytest.mark.parametrize(
    ("limit", "groups"),
    [
        (None, [["a", "b", "c"]]),
        (12, [["a", "b", "c"]]),
        (11, [["a", "b"], ["c"]]),
        (6, [["a"], ["b"], ["c"]]),
        (1, [["a"], ["b"], ["c"]]),
    ],
)
def test_groups_fit_into_the_limit(limit, groups):
    assert groups_within({"a": 3, "b": 4, "c": 5}, limit) == groups
