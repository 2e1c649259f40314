"""Results of stages are merged."""

from pathlib import Path

from qat.run.stage_result import StageResult, merge_parts


def test_later_values_replace_earlier_ones_and_warnings_are_added():
    result = StageResult({"top1": 0.5, "loss": 1.0}, {"top5": "why"}, warnings=["a"], gate="failed")
    result.merge(
        StageResult(
            {"top1": 0.75},
            files={"plan": Path("plan.json")},
            warnings=["b"],
            seconds={"signs": 2.0},
            protocol={"float": {"checkpoint_digest": "d"}},
        )
    )
    assert result == StageResult(
        {"top1": 0.75, "loss": 1.0},
        {"top5": "why"},
        {"plan": Path("plan.json")},
        ["a", "b"],
        {"signs": 2.0},
        {"float": {"checkpoint_digest": "d"}},
        "failed",
    )


def test_the_gate_is_that_of_the_last_comparison():
    result = StageResult(gate="failed")
    result.merge(StageResult(gate="passed"))
    assert result.gate == "passed"


def test_protocols_are_merged_field_by_field():
    parts, others = {"data": {"name": "a", "crop": 8}}, {"data": {"crop": 9}, "float": {"seed": 0}}
    assert merge_parts(parts, others) == {"data": {"name": "a", "crop": 9}, "float": {"seed": 0}}
    assert parts == {"data": {"name": "a", "crop": 8}}
