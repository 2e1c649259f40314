"""Which runs of a sweep are launched next, by what their records say."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from qat.config.compose import Point
from qat.config.schema import PathsConfig, RunConfig, StudyConfig
from qat.records.studies import runs_of
from qat.sweep.items import Item
from qat.sweep.sweep import _index, next_batch, request_word


def test_what_is_not_done_is_launched_at_once():
    states = {"a": "absent", "b": "done", "c": "failed", "d": "interrupted", "e": "running"}
    assert next_batch(states, {}) == ["a", "c", "d"]


def test_a_failure_of_now_is_not_repeated():
    assert next_batch({"a": "failed", "b": "done"}, {"a": 1, "b": 1}) == []


def test_what_a_dead_pool_never_started_goes_before_what_it_cut_off():
    states = {"a": "interrupted", "b": "absent", "c": "absent", "d": "interrupted"}
    launches = dict.fromkeys(states, 1)
    assert next_batch(states, launches) == ["b", "c"]
    states |= {"b": "done", "c": "done"}
    assert next_batch(states, launches) == ["a"]  # alone: it may be what killed the pool
    assert next_batch(states, launches | {"a": 2}) == ["d"]
    assert next_batch(states, launches | {"a": 2, "d": 2}) == []


def test_it_ends_whatever_dies():
    states = {"a": "absent", "b": "absent"}
    launches: Counter[str] = Counter()
    rounds = 0
    while batch := next_batch(states, launches):
        launches.update(batch)
        rounds += 1
    assert rounds == 3


def test_a_damaged_record_is_left_to_its_owner():
    assert next_batch({"a": "damaged"}, {}) == []


def items(runs, *ids):
    """Runs of one study, none of which has started."""
    paths = PathsConfig(data="data", runs=str(runs), cache="cache")
    config = replace(RunConfig(), paths=paths, study=StudyConfig(name="bits"), scale="quick")
    return [Item(id_, Point((), config), runs / id_) for id_ in ids]


def test_a_changed_study_has_none_of_its_old_runs_that_never_started(tmp_path):
    word = request_word(["experiment=bits", "scale=quick"])
    _index(items(tmp_path, "a", "b"), word)
    _index(items(tmp_path, "other"), request_word(["experiment=bits", "seed=7"]))
    (tmp_path / "a").mkdir()
    again = request_word(
        ["scale=quick", "experiment=bits", "hydra/launcher=parallel", "force=true"]
    )
    _index(items(tmp_path, "b2"), again)
    found = {path.name for path in runs_of(Path(tmp_path), "bits", "quick")}
    assert found == {"a", "other", "b2"}
