"""Names of runs tell in what the runs shown together differ; each right name is written by hand."""

from dataclasses import replace

import pytest

from qat.records.names import all_words, row_names, run_names, word_of
from qat.records.schema import RunRecord

SPEC = {
    "format": "int",
    "bits": 4,
    "signed": True,
    "symmetric": True,
    "granularity": "tensor",
    "quantizer": {"name": "minmax", "target": None, "options": {}},
    "observer": {"name": "default", "target": None, "options": {}},
}


def record(id_, overrides=(), seed=0, mode="static", weight=None, act=None, **protocol):
    """A run of one layer; keyword arguments change its protocol, part by part."""
    layer = {"weight": SPEC | (weight or {}), "act": SPEC | {"bits": 8} | (act or {})}
    float_part = {"model": {"name": "simple_cnn", "options": {}}, "epochs": 3}
    return RunRecord(
        id=id_,
        status="done",
        mode=mode,
        seed=seed,
        overrides=tuple(overrides),
        plan=None if mode == "float" else {"placement": "academic", "layers": {"fc": layer}},
        protocol={"data": {"name": "cifar10"}, "float": float_part} | protocol,
    )


def observed(id_, name, **options):
    method = {"name": name, "target": None, "options": options}
    return record(id_, [f"observer@scheme.act={name}"], act={"observer": method})


def named(*records):
    return list(run_names(records).values())


def test_a_run_alone_has_its_widths_method_mode_and_seed():
    assert named(record("a")) == ["w4a8-minmax-static-seed0"]
    assert named(record("a", mode="float", seed=2)) == ["float-seed2"]


def test_observers_of_one_sweep_are_in_the_names():
    runs = [
        observed("a", "mse"),
        observed("b", "percentile", percentile=99.9),
        observed("c", "percentile", percentile=99.99),
    ]
    assert named(*runs) == [
        "w4a8-minmax-static-mse-seed0",
        "w4a8-minmax-static-percentile99.9-seed0",
        "w4a8-minmax-static-percentile99.99-seed0",
    ]
    assert named(runs[0]) == ["w4a8-minmax-static-seed0"]


def test_a_setting_that_only_says_again_what_the_label_says_is_left_out():
    trained = {"epochs": 3, "optimizer": {"lr": 0.1}}
    runs = [record("a"), record("b", mode="qat", training=trained)]
    assert named(*runs) == ["w4a8-minmax-static-seed0", "w4a8-minmax-qat-seed0"]


def test_typed_settings_are_in_the_names_though_the_widths_differ_as_well():
    runs = [observed("a", "mse"), observed("b", "ema")]
    wide = replace(runs[1], plan={"layers": {"fc": runs[1].plan["layers"]["fc"] | {"act": SPEC}}})
    wide.plan["layers"]["fc"]["act"] = SPEC | {
        "observer": {"name": "ema", "target": None, "options": {}}
    }
    assert named(runs[0], wide) == ["w4a8-minmax-static-mse-seed0", "w4a4-minmax-static-ema-seed0"]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"weight": {"symmetric": False}}, {}, ("asym", "sym")),
        ({"weight": {"granularity": "group", "group_size": 32}}, {}, ("group32", "tensor")),
        (
            {"weight": {"symmetric": False}, "act": {"symmetric": False}},
            {},
            ("asym", "sym"),
        ),
        (
            {"evaluation": {"placement": "integer"}},
            {"evaluation": {"placement": "academic"}},
            ("integer", "academic"),
        ),
        (
            {"calibration": {"images": 64}},
            {"calibration": {"images": 512}},
            ("images64", "images512"),
        ),
        (
            {"training": {"optimizer": {"name": "sgd", "lr": 0.1}}},
            {"training": {"optimizer": {"name": "sgd", "lr": 0.01}}},
            ("lr0.1", "lr0.01"),
        ),
        ({"training": {"max_epochs": 1}}, {"training": {"max_epochs": 3}}, ("epochs1", "epochs3")),
        (
            {"evaluation": {"first_last": "8"}},
            {"evaluation": {"first_last": "float"}},
            ("first_last8", "float"),
        ),
    ],
)
def test_one_setting_that_differs_is_one_word(first, second, words):
    one, other = named(record("a", **first), record("b", **second))
    assert one == f"w4a8-minmax-static-{words[0]}-seed0"
    assert other == f"w4a8-minmax-static-{words[1]}-seed0"


def test_slots_that_differ_by_themselves_are_told_apart():
    asym = {"symmetric": False}
    runs = [record("a", weight=asym), record("b", act=asym), record("c", weight=asym, act=asym)]
    assert named(*runs) == [
        "w4a8-minmax-static-w_asym-a_sym-seed0",
        "w4a8-minmax-static-w_sym-a_asym-seed0",
        "w4a8-minmax-static-w_asym-a_asym-seed0",
    ]


def test_networks_and_data_sets_stand_in_front():
    other = {"model": {"name": "resnet20", "options": {}}}
    runs = [record("a"), record("b", float=other), record("c", data={"name": "npz"})]
    assert named(*runs) == [
        "simple_cnn-cifar10-w4a8-minmax-static-seed0",
        "resnet20-cifar10-w4a8-minmax-static-seed0",
        "simple_cnn-npz-w4a8-minmax-static-seed0",
    ]


def test_files_that_were_typed_are_named_where_the_record_has_only_digests():
    runs = [record(i, [f"model.checkpoint=nets/{n}.pt"]) for i, n in (("a", "early"), ("b", "ema"))]
    assert named(*runs) == ["w4a8-minmax-static-early-seed0", "w4a8-minmax-static-ema-seed0"]


def test_what_nothing_tells_apart_has_its_id():
    assert named(record("0123456789ab"), record("ba9876543210")) == [
        "w4a8-minmax-static-seed0-012345",
        "w4a8-minmax-static-seed0-ba9876",
    ]


def test_names_are_names_of_files():
    odd = record("a", evaluation={"rules": "a/b: W8 \x1b[1m"})
    for name in named(odd, record("b", evaluation={"rules": "../.."})):
        assert not set(name) - set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-"
        )
        assert "/" not in name


def test_rows_are_named_without_mode_and_seed():
    runs = [observed("a", "mse"), observed("b", "ema"), record("c", mode="float")]
    assert row_names(runs) == ["w4a8-minmax-mse", "w4a8-minmax-ema", "float"]


def test_a_network_of_the_users_is_named_by_its_factory():
    theirs = {"model": {"name": "user", "options": {}}}
    found = record("a", ["model=user", "model.target=mine.nets:SmallNet"], float=theirs)
    assert named(found, record("b"))[0] == "SmallNet-w4a8-minmax-static-seed0"


def allocated(id_, allocator, metric="sqnr"):
    words = ["mode=mixed", "allocate=user", f"allocate.target={allocator}"]
    chosen = {"allocator": allocator, "metric": metric, "budgets": {"weight_bytes": 9}}
    return record(id_, words, mode="mixed", allocation=chosen)


def test_an_allocator_of_the_users_is_named_by_the_last_word_of_its_target():
    """As a quantizer or an observer of the user's is."""
    runs = [allocated("a", "mine.choice:worst_first"), record("b", ["mode=mixed"], mode="mixed")]
    assert named(*runs) == [
        "w4a8-minmax-mixed-worst_first-seed0",
        "w4a8-minmax-mixed-seed0",
    ]
    runs = [allocated("a", "mine.choice:worst_first"), allocated("b", "mine.choice:best_last")]
    assert named(*runs) == [
        "w4a8-minmax-mixed-worst_first-seed0",
        "w4a8-minmax-mixed-best_last-seed0",
    ]
    runs = [allocated("a", "x:one", "mine.metrics:drop"), allocated("b", "x:one", "mine:rise")]
    assert named(*runs) == ["w4a8-minmax-mixed-drop-seed0", "w4a8-minmax-mixed-rise-seed0"]


def test_equal_last_words_of_two_targets_are_told_apart():
    first, second = named(allocated("a", "one:pick"), allocated("b", "two:pick"))
    assert first != second
    assert "pick" in first


def test_every_word_of_a_name_is_one_of_the_runs_words():
    runs = [observed("a", "mse"), observed("b", "percentile", percentile=99.9)]
    for name, run in zip(named(*runs), runs, strict=True):
        assert set(name.split("-")) <= all_words(run)


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("data.augment.flip", True, "flip"),
        ("data.augment.flip", False, "no_flip"),
        ("optimizer.lr", 1e-05, "lr1e_05"),
        ("allocate.bops", 10**9, "bops1000000000"),
        ("sensitivity.widths", [2, 4, 8], "widths2.4.8"),
        ("trainer.batch_size", 64, "batch64"),
        ("scheme.act.observer", None, ""),
    ],
)
def test_words(key, value, word):
    assert word_of(key, value) == word
