"""What moved between two reports, by hand."""

import copy

import pytest

from bench._compare import compare, short

MACHINE = {"cpu": "A", "cores": 2, "threads": 2, "device": "cpu"}


def report(**results):
    return {"machine": dict(MACHINE), "results": {"model": "resnet20", **results}}


def spread(low, median, high):
    return {"n": 5, "median": median, "q1": low, "q3": high}


def test_intervals_that_overlap_have_not_moved():
    old = report(ratio=spread(0.9, 1.0, 1.1), step_ms=spread(9.0, 10.0, 11.0))
    new = report(ratio=spread(1.05, 1.2, 1.3), step_ms=spread(11.5, 12.0, 13.0))
    result = compare(old, new)
    assert result.moved == ["step_ms: 10.00 (9.000 to 11.00) → 12.00 (11.50 to 13.00)"]
    assert (result.unmoved, result.not_compared) == (1, 0)


@pytest.mark.parametrize(("after", "moved"), [(11.0, 0), (13.0, 1), (8.0, 1)])
def test_a_single_value_has_ten_percent_to_either_side(after, moved):
    assert len(compare(report(seconds=10.0), report(seconds=after)).moved) == moved


@pytest.mark.parametrize("key", MACHINE)
def test_times_of_another_machine_are_not_compared_but_ratios_are(key):
    old = report(ratio=spread(0.9, 1.0, 1.1), step_ms=spread(9.0, 10.0, 11.0))
    new = report(ratio=spread(1.5, 1.6, 1.7), step_ms=spread(90.0, 100.0, 110.0))
    new["machine"][key] = "other"
    result = compare(old, new)
    assert [line.partition(":")[0] for line in result.moved] == ["ratio"]
    assert result.not_compared == 1
    first = next(iter(result.lines("step")))
    assert "1 times of another machine not compared" in first


def test_other_settings_are_not_compared():
    new = copy.deepcopy(report(ratio=3.0))
    new["results"]["model"] = "simple_cnn"
    result = compare(report(ratio=1.0), new)
    assert not result.moved
    assert list(result.lines("step")) == [
        "step: not compared, settings differ: model resnet20 → simple_cnn"
    ]


def test_new_and_dropped_figures_and_settings_are_left_out():
    old = report(ratio=1.0, dropped=1.0)
    new = report(ratio=1.0, added=9.0, precision="32-true")
    assert compare(old, new) == type(compare(old, new))(unmoved=1)


def test_numbers_are_short():
    assert [short(x) for x in (0.1894, 44.6, 674.8, 1340.1, 0.0004)] == [
        *("0.189", "44.60", "674.8", "1,340", "4.00e-04")
    ]
