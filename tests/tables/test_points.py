"""Points of figures: labels by hand."""

import pytest

from qat.tables.points import measured, points_of, shared_words
from qat.tables.shared import shared_text
from qat.tables.statistics import Statistic


def test_a_point_has_the_mean_over_its_seeds_and_a_label_of_its_settings(make):
    runs = [make(4, 4, s, metrics={"top1": top1}) for s, top1 in enumerate((0.8, 0.9))]
    runs += [make(mode="float", metrics={"top1": 0.95}), make(2, status="failed", error="full")]
    float_point, point = points_of(measured(runs))
    assert (float_point.label, float_point.is_float) == ("float", True)
    assert (point.label, point.series) == ("w4a4-lsq qat", "lsq qat")
    assert (point.weight_bits, point.act_bits, point.is_float) == (4, 4, False)
    assert point.network == "simple_cnn on fashion_mini"
    assert point.metrics["top1"].mean == pytest.approx(0.85)


def test_labels_contain_only_what_differs(make):
    runs = [make(8), make(8, plan_changes={"symmetric": False})]
    labels = {point.label for point in points_of(measured(runs))}
    assert labels == {"w8a4, W symmetric", "w8a4, W asymmetric"}


def test_a_title_has_the_words_that_all_labels_would_repeat(make):
    steps = ("fold, nearest", "fold, adaround")
    measurements = measured([make(4, protocol={"ptq.steps": own}) for own in steps])
    assert [point.label for point in points_of(measurements)] == ["w4a4, adaround", "w4a4, nearest"]
    assert [point.series for point in points_of(measurements)] == ["adaround", "nearest"]
    assert shared_text(shared_words(measurements)) == "lsq qat, fold"
    apart = measured([make(4), make(4, mode="static")])
    assert [(p.label, p.series) for p in points_of(apart)] == [
        ("w4a4 static", "static"),
        ("w4a4 qat", "qat"),
    ]
    assert shared_words(measured([make(4), make(8), make(mode="float")])) == {}


def test_an_observer_is_named_only_where_nothing_else_differs(make):
    percentile = {"plan_changes": {"observer": {"name": "percentile", "options": {}}}}
    alike = points_of(measured([make(8), make(8, **percentile), make(4), make(4, **percentile)]))
    assert len({point.series for point in alike}) == 2
    assert all("percentile" in p.series or "percentile" not in p.label for p in alike)
    apart = points_of(measured([make(8), make(4, **percentile)]))
    assert {point.label for point in apart} == {"w8a4-lsq qat", "w4a4-lsq qat"}


def test_chosen_widths_are_named_by_their_allocator(make):
    allocation = {
        "allocation.allocator": "ilp",
        "allocation.metric": "output_kl",
        "allocation.budgets": {"uniform_bits": 4.0},
    }
    (point,) = points_of(measured([make(mode="mixed", protocol=allocation, metrics={"bops": 2})]))
    assert (point.label, point.is_mixed) == ("ILP by output KL", True)
    assert point.budget == "uniform_bits 4"
    assert point.metrics == {"bops": Statistic(2, None, 1)}


def test_rules_join_a_series_unless_several_have_the_same_widths(make):
    def runs(*texts):
        return [make(4, protocol={"evaluation.rules": text}) for text in texts]

    apart = runs("kind:first W2A2", "kind:first W8A8")
    assert {p.series for p in points_of(measured(apart))} == {"kind:first W2A2", "kind:first W8A8"}
    joined = [make(b, b, protocol={"evaluation.rules": f"kind:first W{b}A{b}"}) for b in (4, 8)]
    assert {p.series for p in points_of(measured(joined))} == {"lsq qat, kind:first"}


def test_an_aid_is_named_where_nothing_else_differs(make):
    aids = [{}, {"training.aids.dampening": 0.1}, {"training.aids.freeze_first": 0.01}]
    labels = [point.label for point in points_of(measured([make(protocol=one) for one in aids]))]
    assert labels == ["w4a4", "w4a4, dampening 0.1", "w4a4, freeze first 0.01"]


def test_of_a_part_that_some_lack_only_what_differs_is_named(make):
    momentum = {"training.aids.momentum": 0.01}
    aids = [
        {},
        momentum | {"training.aids.dampening": 0.1},
        momentum | {"training.aids.dampening": 1.0},
    ]
    labels = {point.label for point in points_of(measured([make(protocol=one) for one in aids]))}
    assert labels == {"w4a4", "w4a4, dampening 0.1", "w4a4, dampening 1.0"}


def test_plans_that_differ_by_seed_are_named_by_their_seed(make):
    allocation = {"allocation.allocator": "remeasure", "allocation.metric": "output_kl"}
    runs = [make(mode="mixed", protocol=allocation, seed=seed) for seed in (0, 1)]
    runs[1].plan["left_float"] = ["first"]  # no setting shows it
    labels = [point.label for point in points_of(measured(runs))]
    assert labels == ["remeasure by output KL, seed 0", "remeasure by output KL, seed 1"]
