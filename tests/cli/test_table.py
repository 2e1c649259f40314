"""qat table: stored runs as text, as files of every format, and refused ones."""

import csv
import io

import pytest

from qat.cli.table import table_command
from qat.report.requested_table import TableRequest
from qat.report.table_look import TableLook
from tests.stored_runs import PROTOCOL, a_record, store


@pytest.fixture
def run(home):
    """A finished run's folder."""
    return store(home / "runs", a_record(metrics={"top1": 0.87654321, "packed_bytes": 2048}))[0]


def test_markdown(qat, run):
    code, out, _ = qat("table", "runs")
    assert code == 0
    assert "| w4a4-lsq | static |" in out
    assert "87.65" in out


def test_csv_has_every_digit(qat, run):
    _, out, _ = qat("table", "runs", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert float(row["top1_mean"]) == 0.87654321
    assert row["ids"] == run.name


def test_latex_and_html(qat, run):
    assert r"\toprule" in qat("table", "runs", "--format", "latex")[1]
    assert "<table>" in qat("table", "runs", "--format", "html")[1]


def test_to_a_file(qat, home, run):
    code, out, _ = qat("table", "runs", "--out", "table.md")
    assert (code, out) == (0, "")
    assert "| w4a4-lsq |" in (home / "table.md").read_text()


def test_into_a_folder_in_every_format_with_its_points(home, run, capsys):
    request = TableRequest([home / "runs"])
    assert table_command(request, TableLook(), into=home / "out") == 0
    names = [line.rpartition("/")[2] for line in capsys.readouterr().out.splitlines()]
    assert names[:5] == ["table.md", "results.csv", "table.tex", "table.html", "points.csv"]
    assert all(path.is_file() for path in (home / "out").glob("*.*"))
    assert (home / "out" / "figures" / "accuracy_size.svg").is_file()


def test_strict_refuses_rows_of_different_protocols(qat, home, run):
    assert qat("table", "runs", "--strict")[0] == 0
    protocol = PROTOCOL | {"calibration": {"images": 64}}
    store(home / "runs", a_record("bbb222", protocol=protocol))
    code, out, err = qat("table", "runs", "--strict")
    assert (code, out) == (1, "")
    assert "calibration.images" in err
    assert "[1] calibration.images" in qat("table", "runs")[1]


def test_a_caption_without_latex_is_refused(qat, run):
    code, _, err = qat("table", "runs", "--caption", "it")
    assert code == 2
    assert "add --format latex or --out FILE.tex" in err
    assert r"\caption{it}" in qat("table", "runs", "--caption", "it", "--format", "latex")[1]
