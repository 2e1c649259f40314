"""Which runs share a row, and the order of the rows."""

import pytest

from qat.tables.collect import group_records, sort_groups


def ids(groups):
    return [[record.id for record in group.records] for group in groups]


def test_runs_that_differ_only_in_the_seed_share_a_row(make):
    assert ids(group_records([make(seed=s) for s in (0, 1, 2)])) == [["run1", "run2", "run3"]]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"weight": 3}, id="bits"),
        pytest.param({"mode": "static"}, id="mode"),
        pytest.param({"plan_changes": {"symmetric": False}}, id="symmetry"),
        pytest.param({"protocol": {"training.max_epochs": 30}}, id="epochs"),
        pytest.param({"protocol": {"data.digest": "e" * 64}}, id="data"),
        pytest.param({"protocol": {"float.checkpoint_digest": "f" * 64}}, id="float network"),
    ],
)
def test_any_other_difference_makes_another_row(make, changes):
    assert len(group_records([make(seed=0), make(seed=1, **changes)])) == 2


def test_widths_that_were_chosen_for_each_seed_are_no_other_row(make):
    chosen = {"allocation.allocator": "remeasure"}
    runs = [make(bits, seed=s, mode="mixed", protocol=chosen) for s, bits in enumerate((3, 4))]
    assert ids(group_records(runs)) == [["run1", "run2"]]
    other = make(3, seed=2, mode="mixed", protocol=chosen, plan_changes={"symmetric": False})
    assert len(group_records([*runs, other])) == 2


def test_a_float_network_for_each_seed_is_still_one_row(make):
    runs = [
        make(seed=s, protocol={"float.seed": s, "float.checkpoint_digest": str(s) * 64})
        for s in (0, 1, 2)
    ]
    assert ids(group_records(runs)) == [["run1", "run2", "run3"]]


def test_other_float_networks_at_a_fixed_seed_are_other_rows(make):
    runs = [
        make(seed=s, protocol={"float.seed": f, "float.checkpoint_digest": str(f) * 64})
        for s, f in [(0, 0), (1, 0), (0, 1), (1, 1)]
    ]
    assert ids(group_records(runs)) == [["run1", "run2"], ["run3", "run4"]]


def test_each_value_of_a_setting_can_have_its_own_row(make):
    assert len(group_records([make(seed=0), make(seed=1)], ["seed"])) == 2


def test_the_same_seed_twice_is_no_second_sample(make):
    runs = [make(seed=s, overrides=(f"x={x}", f"seed={s}")) for x in "ab" for s in (0, 1)]
    groups = group_records(runs)
    assert ids(groups) == [["run1", "run2"], ["run3", "run4"]]
    assert [group.separate_because for group in groups] == ["overrides: x=a", "overrides: x=b"]


def test_equal_runs_without_a_known_difference_have_rows_of_their_own(make):
    groups = group_records([make(seed=0), make(seed=0), make(seed=1)])
    assert ids(groups) == [["run1"], ["run2"], ["run3"]]
    assert groups[1].separate_because == "run run2, one of several with its seed"


def test_float_first_then_wide_to_narrow_then_by_mode(make):
    widths = [(2, 2), (4, 8), (8, 8), (4, 4)]
    runs = [make(w, a) for w, a in widths] + [make(4, 4, mode="static"), make(mode="float")]
    groups = sort_groups(group_records(runs))
    assert ids(groups) == [["run6"], ["run3"], ["run2"], ["run5"], ["run4"], ["run1"]]


def test_rows_come_in_one_order_whatever_the_names_of_their_folders(make):
    runs = [
        make(4, 4, mode="mixed", protocol={"allocation.budgets": {"uniform_bits": 3.5}}),
        make(8, 8, mode="mixed", protocol={"allocation.budgets": {"uniform_bits": 4}}),
        make(2, 2),
        make(4, 4, plan_changes={"symmetric": False}),
        make(4, 4),
        make(8, 8, protocol={"data.name": "cifar10"}),
        make(4, 4, protocol={"float.model": "resnet20"}),
    ]
    order = [["run4"], ["run5"], ["run3"], ["run2"], ["run1"], ["run7"], ["run6"]]
    assert ids(sort_groups(group_records(runs))) == order
    own = [run for run in runs if run.id not in ("run6", "run7")]
    assert ids(sort_groups(group_records(own[::-1]))) == order[:5]


def test_models_stay_together(make):
    other = {"float.model": "resnet20"}
    runs = [make(4), make(8, protocol=other), make(8), make(mode="float", protocol=other)]
    assert ids(sort_groups(group_records(runs))) == [["run3"], ["run1"], ["run4"], ["run2"]]
