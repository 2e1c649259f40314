"""Measured times of layers, from runs and from a file."""

import json

import pytest

from qat.cli.latency_table import run_latency_table
from qat.cli.schema import AllocateConfig
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import TensorSpec


def timed_run(folder, bits, ms):
    """A run's plan and times: both layers at one width, the second one not timed."""
    folder.mkdir()
    layers = {
        name: LayerPlan(name, "Conv2d", TensorSpec(bits=bits), TensorSpec(bits=8))
        for name in ("first", "second")
    }
    Plan(layers, (), "integer").save(folder / "plan.json")
    told = {"layers": {"float": {"first": 9.0}, "network": {"first": ms, "": 0.5}}}
    (folder / "latency.json").write_text(json.dumps(told))
    return str(folder)


def test_times_of_runs_go_by_their_plans_widths(tmp_path):
    runs = [timed_run(tmp_path / "a", 4, 0.2), timed_run(tmp_path / "b", 8, 0.3)]
    table = run_latency_table(AllocateConfig(latency_runs=runs))
    assert table == {"first": {(4, 8): 0.2, (8, 8): 0.3}}


def test_of_times_that_are_there_twice_the_median_counts(tmp_path):
    runs = [timed_run(tmp_path / str(n), 4, ms) for n, ms in enumerate((0.2, 0.6, 0.3))]
    assert run_latency_table(AllocateConfig(latency_runs=runs)) == {"first": {(4, 8): 0.3}}


def test_a_file_has_rows(tmp_path):
    row = {"layer": "first", "weight_bits": 4, "act_bits": 8, "latency_ms": 0.2}
    path = tmp_path / "table.json"
    path.write_text(json.dumps([row]))
    assert run_latency_table(AllocateConfig(latency_table=str(path))) == {"first": {(4, 8): 0.2}}
    path.write_text("[3]")
    with pytest.raises(ValueError, match="must be a JSON list of rows"):
        run_latency_table(AllocateConfig(latency_table=str(path)))
    path.write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        run_latency_table(AllocateConfig(latency_table=str(path)))


def test_a_run_without_times_is_named(tmp_path):
    run = timed_run(tmp_path / "a", 4, 0.2)
    (tmp_path / "a" / "latency.json").write_text('{"layers": {}}')
    with pytest.raises(ValueError, match="has no times of layers; measure it"):
        run_latency_table(AllocateConfig(latency_runs=[run]))


def test_none_named_is_none():
    assert run_latency_table(AllocateConfig()) is None
