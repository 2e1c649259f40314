"""``sensitivity.json`` by hand, and the same bytes as the table's own file."""

from math import inf

import pytest

from qat.base.errors import InputError
from qat.records.side_files.sensitivity import SensitivityFile
from qat.sensitivity.table import SensitivityRow, SensitivityTable
from tests.side_files import SENSITIVITY, changed


def test_an_infinite_score_is_a_word_and_nan_is_none():
    rows = SensitivityFile.from_data(SENSITIVITY).rows
    assert [row.score for row in rows] == [0.5, -inf, 2]
    with pytest.raises(
        InputError, match=r"rows\[0\]\.score must be a number, inf or -inf, got 'na"
    ):
        SensitivityFile.from_data(changed(SENSITIVITY, ("rows", 0, "score"), "nan"))


def test_two_scores_of_one_tensor_at_one_width_are_refused():
    with pytest.raises(InputError, match=r"^rows\[1\] is the second one of 'conv' at its width"):
        SensitivityFile.from_data(changed(SENSITIVITY, ("rows", 1, "bits"), 4))


def test_the_file_is_that_of_the_table(tmp_path):
    rows = tuple(
        SensitivityRow(row["layer"], row["slot"], row["bits"], float(row["score"]))
        for row in SENSITIVITY["rows"]
    )
    table = SensitivityTable("loss", "", True, "ab12", rows)
    table.save(tmp_path / "table.json")
    file = SensitivityFile.read(tmp_path / "table.json")
    file.write(tmp_path / "sensitivity.json")
    written = (tmp_path / "sensitivity.json").read_bytes()
    assert written == (tmp_path / "table.json").read_bytes()
    assert SensitivityTable.load(tmp_path / "sensitivity.json") == table
