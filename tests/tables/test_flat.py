"""Flat tables: columns, differences to a baseline, the numbers of an independent script."""

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from qat.records.store import find_records, write_record
from qat.tables.errors import TableError
from qat.tables.flat import flat_columns
from qat.tables.layout import LAYOUTS, TableSpec, table_spec
from qat.tables.render import render
from qat.tables.table import table_from
from tests.tables.conftest import lines, planned, two_networks


def test_model_by_scheme_as_hawq_has_it(study):
    header, _, first, *_ = lines(render(table_from(study, LAYOUTS["hawq"])))
    assert header[5:] == [
        *("packed size [KiB]", "compression [×]", "BOPs [G]"),
        *("top-1 [%]", "drop [points]", "latency [ms]"),
    ]
    assert first[5] == "8.0 ± 0.0"
    assert first[6] == "–"
    assert first[10] == "1.500 ± 0.000"


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


def test_each_seed_is_compared_with_the_baseline_of_its_own(make):
    """A row for each run; a float baseline of one seed serves that seed alone."""
    runs = [make(mode="float", metrics={"top1": 0.95})]
    runs += [
        make(seed=seed, plan=planned(4, quantizer=name), metrics={"top1": top1 + seed / 100})
        for name, top1 in (("lsq", 0.9), ("pact", 0.8))
        for seed in (0, 1)
    ]
    columns = ("method", "seed", "top1")
    spec = TableSpec(columns=columns, compare=("top1",), baseline={"method": "lsq"})
    rows = lines(render(table_from(runs, replace(spec, group=("seed",)))))[2:7]
    assert {(row[0], row[1]): row[3] for row in rows} == {
        ("–", "0"): "≈ +5.00",
        ("lsq", "0"): "–",
        ("lsq", "1"): "–",
        ("pact", "0"): "≈ -10.00",
        ("pact", "1"): "≈ -10.00",
    }
    spec = replace(spec, group=("seed",), baseline={"mode": "float"})
    rows = lines(render(table_from(runs, spec)))[2:7]
    assert [row[3] for row in rows] == ["–", "≈ -5.00", "–", "≈ -15.00", "–"]


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


def test_a_setting_cannot_be_compared_like_a_metric(study):
    spec = TableSpec(columns=("method",), compare=("mode",), baseline={"method": "lsq"})
    with pytest.raises(TableError, match="compare takes metrics, got mode"):
        flat_columns(study, spec)
