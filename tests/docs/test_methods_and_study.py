"""The column of docs/methods.md that shows the study of training methods, against its results."""

import csv
from pathlib import Path

import pytest

from qat.config.yaml_files import options

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = (4, 3, 2)


def cells_by_method():
    """Quantizer → the last cell of its row in docs/methods.md."""
    lines = (ROOT / "docs" / "methods.md").read_text().splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    return {row[0].strip("`"): row[-1] for row in rows}


def results():
    """Quantizers of a row of the study → top-1 in percent by width."""
    study = ROOT / "experiments" / "methods"
    rows = []
    for path in (study / "results.csv", study / "n2uq" / "results.csv"):  # the later one replaces
        with path.open() as file:
            rows += [row for row in csv.DictReader(file) if row["mode"] == "qat"]
    return {
        tuple(dict.fromkeys(row["method"].split("/"))): [
            f"{100 * float(mean):.1f}" if (mean := row[f"top1@{bits}/{bits}_mean"]) else "–"
            for bits in WIDTHS
        ]
        for row in rows
    }


@pytest.mark.parametrize("method", [name for name in options("quantizer") if name != "user"])
def test_the_last_column_is_the_methods_row_of_the_study(method):
    """A method for one slot has the row with its partner; the row of its own name goes first."""
    shown = results()
    rows = sorted((len(names), names) for names in shown if method in names)
    expected = " / ".join(shown[rows[0][1]]) if rows else "–"
    assert cells_by_method()[method] == expected
