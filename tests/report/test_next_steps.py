"""The line of commands to type next."""

import shlex

import pytest

from qat.config.compose import compose_points
from qat.config.stored import store_config
from qat.records.schema import Artifact
from qat.report.next_steps import reference, run_steps, sweep_steps
from tests.stored_runs import a_record


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({}, "qat run --from aaa111 mode=qat"),
        ({"mode": "float", "plan": None}, "qat run --from aaa111 mode=static"),
        ({"artifacts": {"network": Artifact("network.onnx", 1, "0")}}, "qat measure aaa111"),
        ({"overrides": ("model.target=mine:net",)}, "qat table"),
    ],
)
def test_the_last_command_depends_on_the_run(home, changes, last):
    line = run_steps(a_record(**changes), home / "runs" / "aaa111")
    assert line.startswith("next: qat show aaa111 · ")
    assert line.endswith(f" · {last}")


@pytest.mark.parametrize("place", ["conf", "my conf", "/elsewhere/conf"])
def test_a_run_of_the_users_files_needs_their_folder_again(home, place):
    there = a_record(environment={"config_dir": str(home / place)})
    line = run_steps(there, home / "runs" / "aaa111")
    assert line.endswith(f"qat run --from aaa111 --config-dir {shlex.quote(place)} mode=qat")


@pytest.mark.parametrize(
    ("words", "measured"),
    [
        ([], True),
        (["data=user", "data.target=mine:images"], False),
        (["model=user", "model.target=mine:net"], False),
    ],
)
def test_a_network_or_data_that_a_file_names_cannot_be_measured_without_their_code(
    home, words, measured
):
    artifacts = {"network": Artifact("network.onnx", 1, "0")}
    record = a_record(environment={"config_dir": str(home)}, artifacts=artifacts)
    (home / "runs" / "aaa111").mkdir(parents=True)
    (point,) = compose_points(words, multirun=False)
    store_config(point.config, home / "runs" / "aaa111")
    line = run_steps(record, home / "runs" / "aaa111")
    assert ("qat measure aaa111" in line) is measured


def test_a_study_of_the_users_is_shown_with_its_folder(home):
    (home / "conf" / "experiment").mkdir(parents=True)
    (home / "conf" / "experiment" / "mine.yaml").write_text("study: {name: mine}")
    states = {home / "runs" / "a": "done"}
    assert sweep_steps(states, "mine", home / "conf") == (
        "next: qat table mine --config-dir conf · qat show a"
    )
    assert sweep_steps(states, "bitwidth", home / "conf").startswith("next: qat table bitwidth ·")
    states = {home / "other" / "a": "done"}
    assert sweep_steps(states, "mine", home / "conf").startswith(f"next: qat table {home}/other ·")


def test_a_missed_gate_leads_to_the_comparison(home):
    line = run_steps(a_record(gate="failed"), home / "runs" / "aaa111")
    assert line == "next: qat show aaa111 · qat parity aaa111 · qat table"


def test_a_sweep_shows_what_failed_and_compares_what_is_done(home):
    states = {home / "runs" / "a": "done", home / "runs" / "b": "failed"}
    assert sweep_steps(states, None) == "next: qat table · qat show b"
    states[home / "runs" / "c"] = "done"
    assert sweep_steps(states, "bitwidth") == (
        "next: qat table bitwidth · qat show b · qat compare a c"
    )


def test_a_run_in_another_folder_is_named_by_its_path(home):
    assert reference(home / "runs" / "aaa") == "aaa"
    assert reference(home / "my runs" / "aaa") == f"'{home}/my runs/aaa'"
    line = sweep_steps({home / "other" / "a": "done"}, None)
    assert line == f"next: qat table {home}/other · qat show {home}/other/a"
