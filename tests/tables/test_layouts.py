"""Pivots and the layouts of papers."""

import csv
import io
import json
import math
import shutil
import subprocess

import numpy as np
import pytest

from qat.records.store import find_records, write_record
from qat.tables.errors import TableError
from qat.tables.layout import LAYOUTS, TableSpec, table_spec
from qat.tables.render import render
from qat.tables.table import table_from
from tests.tables.conftest import plan
from tests.tables.documents import document

METHODS = {"lsq": 0.90, "minmax": 0.80, "pact": 0.899}


def planned(bits, **names):
    """A plan whose inner layer has these methods for weight and input alike."""
    found = plan(bits, bits)
    inner = found["layers"]["inner"]
    for slot in ("weight", "act"):
        for kind, name in names.items():
            inner[slot][kind] = {"name": name, "target": None, "options": {}}
    return found


@pytest.fixture
def study(make):
    """Three methods at two widths over three seeds; pact is not told apart from lsq."""
    noise = {"lsq": (0.0, 0.01, 0.02), "minmax": (0.0, 0.01, 0.02), "pact": (0.002, 0.008, 0.0209)}
    return [
        make(
            bits,
            bits,
            seed=seed,
            plan=planned(bits, quantizer=name),
            metrics={
                "top1": level + noise[name][seed] - (8 - bits) / 100,
                "packed_bytes": 1024 * bits,
                "bops": 1e9 * bits * bits,
                "top1_drop": 0.95 - level,
                "latency_ms": 1.5,
            },
        )
        for name, level in METHODS.items()
        for bits in (8, 4)
        for seed in range(3)
    ]


def lines(text):
    return [[c.strip() for c in line.strip("| ").split("|")] for line in text.splitlines()]


def test_method_by_bits_as_pact_has_it(study):
    table = lines(render(table_from(study, LAYOUTS["pact"])))
    assert table[0] == ["model", "method", "mode", "W8 A8", "W4 A4"]
    assert table[2][1:] == ["lsq", "qat", "**91.00 ± 1.00**", "**87.00 ± 1.00**"]
    assert table[3][1:] == ["minmax", "qat", "81.00 ± 1.00", "77.00 ± 1.00"]
    assert table[4][3].startswith("**90.93")  # within the pairs' spread of the best


def test_model_by_scheme_as_hawq_has_it(study):
    header, _, first, *_ = lines(render(table_from(study, LAYOUTS["hawq"])))
    assert header[5:] == [
        *("packed size [KiB]", "compression [×]", "BOPs [G]"),
        *("top-1 [%]", "drop [points]", "latency [ms]"),
    ]
    assert first[5] == "8.0 ± 0.0"
    assert first[6] == "–"
    assert first[10] == "1.500 ± 0.000"


def test_calibration_by_bits_as_nvidia_has_it(make):
    runs = [
        make(
            bits,
            bits,
            metrics={"top1": 0.9},
            plan=planned(bits, observer=name),
        )
        for name in ("minmax", "mse")
        for bits in (8, 4)
    ]
    table = lines(render(table_from(runs, LAYOUTS["nvidia"])))
    assert table[0] == ["model", "calibration", "W8 A8", "W4 A4"]
    assert [row[1] for row in table[2:4]] == ["minmax", "mse"]


def test_several_metrics_share_an_upper_header(study):
    spec = TableSpec(
        layout="pivot", rows=("method",), columns=("weight_bits",), values=("top1", "bops")
    )
    table = table_from(study, spec)
    assert lines(render(table))[0] == [
        "method",
        "W8 top-1 [%]",
        "W8 BOPs [G]",
        "W4 top-1 [%]",
        "W4 BOPs [G]",
    ]
    latex = render(table, "latex")
    assert r" & \multicolumn{2}{c}{W8} & \multicolumn{2}{c}{W4} \\" in latex
    assert r"\cmidrule(lr){2-3} \cmidrule(lr){4-5}" in latex
    assert '<th colspan="2">W8</th>' in render(table, "html")


def test_what_was_made_otherwise_is_marked_in_its_cell(study, make):
    odd = make(
        8,
        8,
        seed=0,
        plan=planned(8, quantizer="dorefa"),
        metrics={"top1": 0.7},
        protocol={"training.epochs": 90},
    )
    text = render(table_from([*study, odd], LAYOUTS["pact"]))
    (row,) = [line for line in lines(text) if "dorefa" in line]
    assert row[3].endswith("[1]")
    assert row[4] == "–"
    assert "[1] training.epochs 90, others 3" in text
    with pytest.raises(TableError, match=r"not made under the protocol.*epochs 90"):
        table_from([*study, odd], LAYOUTS["pact"], strict=True)
    axis = table_spec({"layout": "pact", "axes": ["training.epochs"]})
    assert "[1]" not in render(table_from([*study, odd], axis, strict=True))


def test_two_settings_in_one_cell_are_refused_with_the_cure(make):
    runs = [make(metrics={"top1": 0.9}), make(metrics={"top1": 0.8}, mode="static")]
    spec = TableSpec(layout="pivot", rows=("method",), columns=("weight_bits",), values=("top1",))
    with pytest.raises(TableError, match=r"two settings meet .*add mode"):
        table_from(runs, spec)


def test_differences_to_a_baseline(study):
    spec = TableSpec(
        columns=("method", "weight_bits"),
        compare=("top1",),
        baseline={"method": "lsq", "weight_bits": "8"},
    )
    table = lines(render(table_from(study, spec)))
    assert table[0] == ["method", "W [bit]", "top-1 [%]", "top-1 − lsq 8 [points]"]
    by_row = {(row[0], row[1]): row[3] for row in table[2:8]}
    assert by_row["lsq", "8"] == "–"
    assert by_row["minmax", "8"] == "-10.00 [-10.00, -10.00]"
    assert by_row["pact", "8"].startswith("≈ -0.07 [")


def two_networks(make):
    """One network keeps 0.9, the other 0.5; the same two methods on both."""
    levels = {"simple_cnn": 0.9, "resnet20": 0.5}
    return [
        make(
            seed=seed,
            plan=planned(4, quantizer=name),
            protocol={"float.model": model},
            metrics={"top1": level - step + seed / 100},
        )
        for model, level in levels.items()
        for name, step in (("lsq", 0.0), ("minmax", 0.2))
        for seed in range(3)
    ]


def test_each_network_has_a_best_of_its_own(make):
    table = lines(render(table_from(two_networks(make), LAYOUTS["pact"])))
    bold = {(row[0], row[1]): row[3].startswith("**") for row in table[2:6]}
    assert bold == {
        ("simple_cnn", "lsq"): True,
        ("simple_cnn", "minmax"): False,
        ("resnet20", "lsq"): True,
        ("resnet20", "minmax"): False,
    }
    over_all = table_spec({"layout": "pact", "within": []})
    assert render(table_from(two_networks(make), over_all)).count("**") == 2


def test_each_network_has_a_baseline_of_its_own(make):
    spec = TableSpec(columns=("model", "method"), compare=("top1",), baseline={"method": "lsq"})
    table = lines(render(table_from(two_networks(make), spec)))
    differences = {(row[0], row[1]): row[3] for row in table[2:6]}
    assert differences["resnet20", "lsq"] == differences["simple_cnn", "lsq"] == "–"
    assert differences["resnet20", "minmax"] == "-20.00 [-20.00, -20.00]"
    assert differences["simple_cnn", "minmax"] == "-20.00 [-20.00, -20.00]"


def test_a_baseline_is_one_row(study):
    spec = TableSpec(columns=("method",), compare=("top1",), baseline={"method": "lsq"})
    with pytest.raises(TableError, match=r"2 rows are the baseline method=lsq .*more settings"):
        table_from(study, spec)
    spec = TableSpec(columns=("method",), compare=("top1",), baseline={"method": "apot"})
    with pytest.raises(TableError, match="no row is the baseline method=apot"):
        table_from(study, spec)


def test_differences_count_the_common_seeds(make):
    runs = [
        make(seed=seed, plan=planned(4, quantizer=name), metrics={"top1": top1})
        for name, values in {
            "lsq": {0: 0.90, 1: 0.91, 2: 0.92},
            "pact": {1: 0.81, 2: 0.82, 3: 0.99},
            "dorefa": {2: 0.52, 5: 0.1},
            "apot": {7: 0.1},
        }.items()
        for seed, top1 in values.items()
    ]
    spec = TableSpec(columns=("method",), compare=("top1",), baseline={"method": "lsq"})
    table = lines(render(table_from(runs, spec)))
    assert {row[0]: row[2] for row in table[2:6]} == {
        "lsq": "–",
        "pact": "≈ -10.00 [-10.00, -10.00] (2)",
        "dorefa": "≈ -40.00 (1)",
        "apot": "–",
    }


def test_only_picks_runs(study):
    table = table_from(study, table_spec({"only": {"method": ["lsq"], "weight_bits": 4}}))
    assert [row.seeds for row in table.rows] == [(0, 1, 2)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"colums": ["run"]}, "no 'colums'.*did you mean 'columns'"),
        ({"layout": "pviot"}, "layout must be one of.*pviot"),
        ({"layout": "pivot", "rows": ["method"]}, "a pivot needs rows, columns"),
        ({"values": ["top1"]}, "belong to layout=pivot"),
        ({"compare": ["top1"]}, "go together"),
        ({"only": ["a"]}, "only must be a mapping"),
        ({"rows": {"a": 1}, "layout": "pact"}, "rows must be a name or a list"),
    ],
)
def test_a_wrong_layout_is_refused(settings, words):
    with pytest.raises(TableError, match=words):
        table_spec(settings)


def test_an_independent_script_finds_the_same_numbers(study, tmp_path):
    """From the files alone: json and numpy, none of the room's own code."""
    for record in study:
        (tmp_path / record.id).mkdir()
        write_record(record, tmp_path / record.id)
    spec = table_spec(
        {
            "columns": ["method", "weight_bits", "top1"],
            "compare": ["top1"],
            "baseline": {"method": "lsq", "weight_bits": "8"},
        }
    )
    records, _ = find_records([tmp_path])
    shown = list(csv.DictReader(io.StringIO(render(table_from(records, spec), "csv"))))

    values = {}
    for path in tmp_path.glob("*/run.json"):
        data = json.loads(path.read_text())
        inner = data["plan"]["layers"]["inner"]["weight"]
        key = inner["quantizer"]["name"], str(inner["bits"])
        values.setdefault(key, {})[data["seed"]] = data["metrics"]["top1"]
    base = np.array([values["lsq", "8"][seed] for seed in range(3)])
    assert len(shown) == len(values) == 6
    for row in shown:
        own = np.array([values[row["method"], row["weight_bits"]][seed] for seed in range(3)])
        assert float(row["top1_mean"]) == pytest.approx(own.mean(), rel=1e-12)
        assert float(row["top1_std"]) == pytest.approx(own.std(ddof=1), rel=1e-9)
        assert row["top1_n"] == "3"
        if (row["method"], row["weight_bits"]) == ("lsq", "8"):
            assert row["top1_difference_mean"] == ""
            continue
        apart = own - base
        half = 4.302652729911275 * apart.std(ddof=1) / math.sqrt(3)
        assert float(row["top1_difference_mean"]) == pytest.approx(apart.mean())
        assert float(row["top1_difference_low"]) == pytest.approx(apart.mean() - half)
        assert float(row["top1_difference_high"]) == pytest.approx(apart.mean() + half)


@pytest.mark.latex
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", ["pact", "hawq", "flat"])
def test_latex_compiles(study, tmp_path, name):
    table = table_from(study, LAYOUTS[name])
    (tmp_path / "it.tex").write_text(document(render(table, "latex")))
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "it.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "it.pdf").stat().st_size > 1000
