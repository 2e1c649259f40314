"""IDX files, as bytes written by hand."""

import gzip

import numpy as np
import pytest

from qat.data.errors import DataError
from qat.data.sources.idx import read_idx

SMALL = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255])
"""uint8, 2 axes of 2 and 3, and six values."""


@pytest.mark.parametrize("name", ["it-idx2-ubyte", "it-idx2-ubyte.gz"])
def test_lengths_are_big_endian_and_the_last_axis_runs_fastest(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(SMALL) if name.endswith(".gz") else SMALL)
    array = read_idx(tmp_path / name)
    assert array.dtype == np.uint8
    assert array.tolist() == [[1, 2, 3], [4, 5, 255]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello world", "not an IDX file of uint8"),
        (SMALL[:-1], r"truncated or damaged, 5 bytes for shape \[2, 3\]"),
        (SMALL[:9], "truncated in its header of 12 bytes"),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, message):
    (tmp_path / "it.gz").write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path / "it.gz")


def test_a_truncated_gzip_and_a_missing_file_are_refused(tmp_path):
    (tmp_path / "it.gz").write_bytes(gzip.compress(SMALL)[:-10])
    for name in ("it.gz", "none"):
        with pytest.raises(DataError, match=f"{name}: cannot be read .*get the IDX file again"):
            read_idx(tmp_path / name)
