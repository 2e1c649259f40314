"""Measured times of layers, from runs and from a file."""

import json
import shutil

import pytest

from qat.config.schema import AllocateConfig
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import TensorSpec
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.records.store import write_record
from qat.run.mixed.latency_table import run_latency_table
from tests.side_files import LATENCY


def timed_run(folder, bits, ms, layers_told=None):
    """A run's plan and times: both layers at one width, the second one not timed."""
    folder.mkdir()
    layers = {
        name: LayerPlan(name, "Conv2d", TensorSpec(bits=bits), TensorSpec(bits=8))
        for name in ("first", "second")
    }
    plan = Plan(layers, (), "integer")
    times = {"float": {"first": 9.0}, "network": {"first": ms, "": 0.5}}
    content = LATENCY | {"layers": times if layers_told is None else layers_told}
    (folder / "latency.json").write_text(json.dumps(content))
    write_record(
        RunRecord(
            id=folder.name,
            status="done",
            mode="static",
            seed=0,
            plan=plan.to_dict(),
            artifacts={"latency": RunFolder(folder).artifact(folder / "latency.json")},
        ),
        folder,
    )
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
    with pytest.raises(ValueError, match="is not JSON"):
        run_latency_table(AllocateConfig(latency_table=str(path)))


def test_a_run_without_times_is_named(tmp_path):
    run = timed_run(tmp_path / "a", 4, 0.2, layers_told={})
    with pytest.raises(ValueError, match="has no times of layers; measure it"):
        run_latency_table(AllocateConfig(latency_runs=[run]))


def test_times_that_are_not_the_runs_are_refused(tmp_path):
    run = timed_run(tmp_path / "a", 4, 0.2)
    stranger = timed_run(tmp_path / "b", 4, 0.1)
    shutil.copy(f"{stranger}/latency.json", run)
    with pytest.raises(ValueError, match="not the file that the run wrote"):
        run_latency_table(AllocateConfig(latency_runs=[run]))


def test_none_named_is_none():
    assert run_latency_table(AllocateConfig()) is None
