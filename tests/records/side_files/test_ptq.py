"""``ptq.json`` by hand."""

import pytest

from qat.base.errors import InputError
from qat.records.side_files.ptq import PtqFile
from tests.side_files import PTQ, changed


def test_rows_are_said_in_words():
    file = PtqFile.from_data(PTQ)
    assert [row.words for row in file.rows] == [
        "fold: 0.2 s, float network, logit SQNR equal logits, top-1 90.00 %",
        "adaround (iterations=10 batch_size=4): 2.5 s, quantized network, logit SQNR 20.5 dB",
    ]


def test_a_row_is_of_one_of_the_two_networks():
    with pytest.raises(InputError, match=r"network must be one of float, quantized, got 'half'"):
        PtqFile.from_data(changed(PTQ, ("rows", 0, "network"), "half"))
