"""What all benchmarks share: spreads by hand, turns, the report."""

import json

import pytest

from bench._report import interleaved_seconds, machine, paired_ratio, spread, write_report


def test_spread_by_hand():
    assert spread([4.0, 1.0, 3.0, 2.0, 5.0]) == {"n": 5, "median": 3.0, "q1": 2.0, "q3": 4.0}


def test_one_value_has_no_quartiles():
    assert spread([2.0]) == {"n": 1, "median": 2.0}


def test_no_value_has_no_spread():
    with pytest.raises(ValueError, match="at least one value"):
        spread([])


def test_ratio_is_of_pairs_and_not_of_medians():
    # pairs 4, 1/2, 3; the medians would give 2/2
    assert paired_ratio([4.0, 1.0, 6.0], [1.0, 2.0, 2.0])["median"] == 3.0


def test_runs_take_turns_and_warmup_is_not_counted():
    calls = []
    runs = {name: lambda name=name: calls.append(name) for name in ("a", "b")}
    seconds = interleaved_seconds(runs, repeats=3, warmup=1)
    assert calls == ["a", "b"] * 4
    assert [len(values) for values in seconds.values()] == [3, 3]
    assert all(value >= 0 for values in seconds.values() for value in values)


def test_report_is_printed_and_written_alike(tmp_path, capsys):
    report = write_report("data", {"ratio": spread([5.0, 6.0])}, tmp_path / "new" / "data.json")
    assert json.loads((tmp_path / "new" / "data.json").read_text()) == report
    assert json.loads(capsys.readouterr().out) == report
    assert report["results"]["ratio"]["n"] == 2


def test_machine_says_what_changes_a_figure():
    facts = machine()
    assert facts.keys() >= {"cpu", "cores", "threads", "python", "torch", "date"}
    assert facts["cpu"]
