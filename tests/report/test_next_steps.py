"""The line of commands to type next."""

import pytest

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
