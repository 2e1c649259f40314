"""Searches: what is checked beforehand, what is given back, the front."""

import pytest

from qat.records.schema import RunRecord
from qat.sweep.adaptive import dimension_points, front, objectives


def record(number, **metrics):
    return RunRecord(id=f"{number:012x}", status="done", mode="static", seed=0, metrics=metrics)


def test_every_choice_of_every_dimension_with_the_others_at_their_first():
    words = ["data=synthetic", "a=choice(1,2,3)", "b=x,y", "hydra/sweeper=pareto"]
    assert dimension_points(words) == [
        ("data=synthetic", "a=1", "b=x"),
        ("data=synthetic", "a=2", "b=x"),
        ("data=synthetic", "a=3", "b=x"),
        ("data=synthetic", "a=1", "b=y"),
    ]


def test_ranges_by_each_value_and_intervals_by_their_ends():
    assert dimension_points(["a=range(2,5)"]) == [("a=2",), ("a=3",), ("a=4",)]
    assert dimension_points(["a=interval(0.1,0.5)"]) == [("a=0.1",), ("a=0.5",)]


def test_dimensions_of_the_configuration_count_too():
    assert dimension_points(["c=1"], ["a=choice(1,2)"]) == [("c=1", "a=1"), ("c=1", "a=2")]


def test_objectives_in_their_order():
    run = record(1, top1=0.9, packed_bytes=100.0, bops=7)
    assert objectives(run, ["packed_bytes", "top1"]) == (100.0, 0.9)
    with pytest.raises(ValueError, match=r"no latency_ms; it has top1, packed_bytes, bops"):
        objectives(run, ["top1", "latency_ms"])


def test_the_front_knows_which_way_is_better():
    runs = [
        record(1, top1=0.9, packed_bytes=100),
        record(2, top1=0.8, packed_bytes=50),
        record(3, top1=0.7, packed_bytes=60),  # beaten by the second
        record(4, top1=0.95),  # lacks its size
    ]
    assert [run.id[-1] for run in front(runs, ["top1", "packed_bytes"])] == ["1", "2"]
