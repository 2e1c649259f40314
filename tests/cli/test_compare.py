"""qat compare: the settings, metrics and layers in which two runs differ."""

import pytest

from qat.cli.compare import layer_rows, metric_rows, setting_rows
from tests.stored_runs import a_record, store


@pytest.fixture
def two(home):
    """Two runs that differ in the width of their inner weights."""
    rows = [{"name": "inner", "slot": "output", "sqnr_db": 12.34}]
    first = a_record("aaa", weight=8, metrics={"packed_bytes": 3072, "top1": 0.9})
    second = a_record("bbb", weight=3, metrics={"packed_bytes": 1024})
    return [store(home / "runs", record, layers=rows) for record in (first, second)]


def test_the_tables_show_what_differs(qat, two):
    code, out, _ = qat("compare", "aaa", "bbb")
    assert code == 0
    lines = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in out.splitlines()]
    by_name = {line[0]: line[1:] for line in lines}
    assert by_name["weight bits"] == ["8", "3"]
    assert "act bits" not in by_name
    assert by_name["inner"] == ["8/4, 12.3 dB", "3/4, 12.3 dB"]
    assert by_name["packed_bytes [KiB]"] == ["3.0", "1.0", "-2.0"]
    assert by_name["top1 [%]"] == ["90.00", "–"]


def test_rows_by_hand(two):
    (first, a), (second, b) = two
    assert list(setting_rows(a, b)) == [("weight bits", "8", "3")]
    assert list(metric_rows(a, b)) == [
        ("top1 [%]", "90.00", "–", ""),
        ("packed_bytes [KiB]", "3.0", "1.0", "-2.0"),
    ]
    assert list(layer_rows(first, second, a, b)) == [
        ("first", "8/8", "8/8"),
        ("inner", "8/4, 12.3 dB", "3/4, 12.3 dB"),
        ("last", "8/8", "8/8"),
    ]


def test_a_run_compared_with_itself_differs_in_nothing(qat, two):
    assert "settings that differ: none" in qat("compare", "aaa", "aaa")[1]


def test_a_folder_without_a_record_is_refused(qat, two, home):
    code, _, err = qat("compare", "aaa", str(home))
    assert code == 2
    assert "holds no run.json" in err
