"""Words for groups whose shown settings are equal."""

from qat.tables.apart import words_apart
from qat.tables.collect import group_records


def words(records):
    return words_apart(group_records(records))


def test_a_single_group_needs_no_words(make):
    assert words([make(seed=0), make(seed=1)]) == [None]


def test_the_last_word_of_each_differing_path_and_its_value(make):
    optimizers = [{"name": "sgd"}, {"name": "adam"}]
    runs = [make(protocol={"training.optimizer": own}) for own in optimizers]
    assert words(runs) == ["name sgd", "name adam"]


def test_seeds_and_float_networks_are_no_setting(make):
    own = {"float.seed": 0, "float.checkpoint_digest": "c" * 64}
    other = {"float.seed": 1, "float.checkpoint_digest": "d" * 64}
    runs = [make(seed=3, protocol=own), make(seed=3, protocol=other)]
    assert words(runs) == ["seed 3", "seed 3"]  # nothing else is known


def test_a_part_that_one_group_lacks(make):
    runs = [make(), make(protocol={"training.dampening": 0.5})]
    assert words(runs) == [None, "dampening 0.5"]
