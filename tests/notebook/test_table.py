"""``qat.table`` has the numbers of ``qat table --format csv``."""

import csv
import io

import pytest

from qat.notebook.table import table
from qat.records.studies import add_to_study
from tests.stored_runs import a_record, store


@pytest.fixture
def records(home):
    """Two settings, one of them with two seeds."""
    runs = [("a", 8, 0, 0.9), ("b", 4, 0, 0.8), ("c", 4, 1, 0.7)]
    return [
        store(home / "runs", a_record(id_, bits, seed=seed, metrics={"top1": top1}))[1]
        for id_, bits, seed, top1 in runs
    ]


@pytest.mark.parametrize("what", ["records", "folder", "nothing"])
def test_the_numbers_are_those_of_the_csv_form(home, records, qat, what):
    arguments = {"records": [records], "folder": [home / "runs"], "nothing": []}[what]
    frame = table(*arguments)
    rows = list(csv.DictReader(io.StringIO(qat("table", "--format", "csv")[1])))
    assert frame.columns.tolist() == list(rows[0])
    for name in ("top1_mean", "top1_std", "top1_n", "weight_bits"):
        text = [row[name] for row in rows]
        values = frame[name].tolist()
        assert [float(t) for t in text if t] == [float(v) for v in values if v == v]
    assert [" ".join(ids) for ids in frame.ids] == [row["ids"] for row in rows]


def test_columns_groups_and_layouts(records):
    seeds = table(records, columns=["weight_bits", "seed", "top1"], group=["seed"])
    assert sorted(zip(seeds.weight_bits, seeds.seed, seeds.top1_mean, strict=True)) == [
        (4, 0, 0.8),
        (4, 1, 0.7),
        (8, 0, 0.9),
    ]
    pivot = table(*records, layout="pact")
    assert pivot["top1@4/4_mean"].dropna().tolist() == [pytest.approx(0.75)]


def test_a_study_by_its_name(home, records):
    add_to_study(home / "runs", "bitwidth", "quick", ["a", "b"])
    frame = table("bitwidth", layout="flat")
    assert sorted(frame.ids) == [("a",), ("b",)]


def test_what_cannot_be_in_a_table_is_refused(records):
    with pytest.raises(ValueError, match="no records"):
        table([])
    with pytest.raises(ValueError, match="not both"):
        table(records, "bitwidth")
    with pytest.raises(ValueError, match="no study 'absent'"):
        table("absent")
