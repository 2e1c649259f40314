"""points.csv: a round trip, and its text against the csv module."""

import csv
import io

import pytest

from qat.tables.errors import TableError
from qat.tables.points import measured
from qat.tables.points_file import points_csv, read_points


@pytest.fixture
def measurements(make):
    runs = [make(4, 4, s, metrics={"top1": 0.1 + 0.2 * s}) for s in range(3)]
    return measured([*runs, make(8, 8, metrics={"top1": 0.9, "bops": 7})])


def test_what_is_read_is_what_was_written(measurements, tmp_path):
    path = tmp_path / "points.csv"
    path.write_text(points_csv(measurements), encoding="utf-8")
    assert read_points(path) == measurements


def test_every_digit_is_in_the_file_and_a_missing_metric_has_no_seeds(measurements):
    first, second = csv.DictReader(io.StringIO(points_csv(measurements)))
    assert (first["weight_bits"], first["bops_mean"], first["top1_std"]) == ("8", "7", "")
    assert (second["bops_mean"], second["bops_n"], second["top1_n"]) == ("", "0", "3")
    # 0.1, 0.3, 0.5: mean 0.3, std sqrt((0.04 + 0.04) / 2)
    assert float(second["top1_mean"]) == pytest.approx(0.3)
    assert float(second["top1_std"]) == pytest.approx(0.2)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "points.csv"
    with pytest.raises(TableError, match=r"is no points\.csv .*No such file"):
        read_points(path)
    path.write_text("model,data\ncnn,cifar10\n", encoding="utf-8")
    with pytest.raises(TableError, match=r"KeyError\('mode'\).*write it again with qat table"):
        read_points(path)
