"""What makes rows unlike."""

from qat.tables.protocol import commit_notes, differences, leaves


def test_leaves_are_dotted(make):
    found = leaves(make())
    assert found["training.optimizer.lr"] == "0.01"
    assert found["data.name"] == '"fashion_mini"'


def test_the_odd_row_is_named_with_both_values(make):
    rows = [[make(8)], [make(4, protocol={"training.max_epochs": 30})], [make(2)]]
    assert differences(rows) == {1: "training.max_epochs 30, others 3"}


def test_one_note_has_all_differences_of_a_row(make):
    odd = make(4, protocol={"training.max_epochs": 30, "calibration.images": 64})
    assert differences([[make(8)], [odd], [make(2)]]) == {
        1: "calibration.images 64, others 1024; training.max_epochs 30, others 3"
    }


def test_of_two_rows_the_first_is_the_usual_one(make):
    rows = [[make(8)], [make(4, protocol={"data.digest": "e" * 64})]]
    assert differences(rows) == {1: f"data.digest {'e' * 12}, others {'d' * 12}"}


def test_absence_is_no_difference(make):
    assert differences([[make(mode="float")], [make(mode="static")], [make(mode="qat")]]) == {}


def test_what_the_table_varies_is_no_difference(make):
    rows = [[make(8)], [make(4, protocol={"training.max_epochs": 30})]]
    assert differences(rows, ["training.max_epochs"]) == {}
    assert differences(rows, ["training"]) == {}
    assert differences(rows, ["train"]) != {}


def test_other_networks_may_differ_in_data_and_float_but_not_in_training(make):
    other = {"float.model": "resnet20", "float.seed": 7, "data.resize": 32}
    assert differences([[make()], [make(protocol=other)]]) == {}
    longer = make(protocol={**other, "training.max_epochs": 9})
    assert differences([[make()], [longer]]) == {1: "training.max_epochs 9, others 3"}


def test_seeds_are_no_difference_but_float_networks_are(make):
    row = [make(seed=0), make(seed=1)]
    assert differences([row, [make(4, seed=5)]]) == {}
    other = [make(4, protocol={"float.seed": 1})]
    assert differences([row, other]) == {1: "float.seed 1, others 0"}


def test_a_float_network_for_each_seed_is_no_difference(make):
    tied = [make(seed=s, protocol={"float.seed": s}) for s in (0, 1)]
    assert differences([tied, [make(8)], [make(2)]]) == {}


def test_commits_are_noted_where_they_mix(make):
    old = {"commit": "b" * 40, "dirty": True}
    rows = [
        [make(8)],
        [make(4), make(4, seed=1, environment=old)],
        [make(2, environment=old)],
        [make(3)],
    ]
    usual = "a" * 12
    assert commit_notes(rows) == {
        1: f"made at commit {usual} and {'b' * 12}+changes, others at {usual}",
        2: f"made at commit {'b' * 12}+changes, others at {usual}",
    }
    assert commit_notes(rows[:1]) == {}
