"""Whatever lies in the folder of runs, every reading command names it and shows the rest."""

import json
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qat.cli.main import main
from tests.side_files import (
    ALLOCATION,
    HISTORY,
    LATENCY,
    LAYERS,
    MEMORY,
    PARITY,
    SENSITIVITY,
)
from tests.strategies import damaged_files, damaged_records, hostile_texts

SPEC = {"bits": 4, "format": "int", "symmetric": True, "signed": True, "granularity": "channel"}
METHODS = {"quantizer": {"name": "minmax", "options": {}}, "observer": {"name": "ema"}}
LAYER = {"kind": "Conv2d", "weight": SPEC | METHODS, "act": SPEC | METHODS, "output": None}
RECORD = {
    "schema_version": 1,
    "id": "0123456789ab",
    "status": "done",
    "mode": "static",
    "seed": 0,
    "error": None,
    "gate": "passed",
    "study": "it",
    "overrides": ["mode=static", "seed=0"],
    "protocol": {
        "data": {"name": "synthetic", "digest": "ab", "mean": [0.5]},
        "float": {"model": {"name": "simple_cnn", "options": {}}, "seed": 0},
        "allocation": {"allocator": "ilp", "budgets": {"uniform_bits": 4}},
        "training": {"max_epochs": 3},
        "evaluation": {"split": "test", "rules": "kind:first W8A8"},
    },
    "plan": {
        "version": 1,
        "placement": "academic",
        "left_float": [["norm", "LayerNorm"]],
        "layers": {"first": LAYER, "second": LAYER, "third": LAYER},
    },
    "environment": {"cpu": "it", "threads": 1, "commit": "abc", "versions": {"torch": "2"}},
    "artifacts": {},
    "seconds": {"float": 1.0, "calibration": 2.0},
    "unmeasured": {"latency_ms": "no runtime"},
    "metrics": {"float_top1": 0.9, "top1": 0.8, "packed_bytes": 1000, "bops": 10, "loss": 1.5},
}
GOOD = RECORD | {"id": "good00000000", "metrics": {"top1": 0.4321, "float_top1": 0.9}}
SIDES = {
    "parity.json": PARITY,
    "latency.json": LATENCY,
    "memory.json": MEMORY,
    "allocation.json": ALLOCATION,
    "sensitivity.json": SENSITIVITY,
    "layers.json": LAYERS,
    "history.csv": HISTORY,
}
ACTING = set("\x1b\x07\x00\x9b\u202e\u2066\x08")
FORMATS = ("markdown", "csv", "latex", "html")
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def put(folder, record, sides=(), digests=True):
    """A run folder of a record and its files."""
    folder.mkdir(parents=True, exist_ok=True)
    artifacts = {}
    for name, content in sides:
        (folder / name).write_bytes(content)
        if digests:
            from qat.records.folder import RunFolder

            file = RunFolder(folder).artifact(folder / name)
            artifacts[Path(name).stem] = {
                "path": file.path,
                "bytes": file.bytes,
                "sha256": file.sha256,
            }
    if isinstance(record, dict) and isinstance(record.get("artifacts"), dict):
        record = record | {"artifacts": record["artifacts"] | artifacts}
    text = record if isinstance(record, bytes) else json.dumps(record).encode()
    (folder / "run.json").write_bytes(text)
    return folder


def content_of(name):
    side = SIDES[name]
    return side.encode() if isinstance(side, str) else json.dumps(side).encode()


class Commands:
    """All commands that read runs, in this process."""

    def __init__(self, home, capsys):
        self.home, self.capsys = home, capsys

    def run(self, *words):
        """Code, output and errors; no command ends in a defect, none lets a word act."""
        self.capsys.readouterr()
        code = main(list(words))
        out, err = self.capsys.readouterr()
        assert code in (0, 1, 2), words
        assert "QAT_DEBUG" not in err, (words, err)
        assert not (set(out) | set(err)) & ACTING, words
        if code == 2:
            assert err.count("\n") == 1, err
        return code, out, err

    def assert_read_by_all(self, bad, good):
        """Every command over a folder with one good run, and one that may be anything."""
        runs = good.parent
        for form in FORMATS:
            code, out, err = self.run("table", str(runs), "--format", form)
            assert code == 0, err
            assert "0.4321" in out or "43.21" in out
        self.run("show", str(bad))
        code, out, _ = self.run("show", str(good))
        assert code == 0
        assert "43.21" in out
        self.run("compare", str(bad), str(good))
        self.run("compare", str(good), str(bad))
        code, _, err = self.run("clean", "--runs", str(runs), "--cache", str(self.home / "cache"))
        assert code == 0, err


@pytest.fixture
def commands(home, capsys):
    (home / "cache").mkdir()  # a folder that is named must exist
    return Commands(home, capsys)


def fresh(home):
    shutil.rmtree(home / "runs", ignore_errors=True)
    return put(home / "runs" / GOOD["id"], GOOD)


def assert_all_commands_end(commands, record):
    good = fresh(commands.home)
    bad = put(commands.home / "runs" / RECORD["id"], record)
    commands.assert_read_by_all(bad, good)


def assert_all_commands_end_with_files(commands, names, contents, digests):
    good = fresh(commands.home)
    sides = list(zip(names, contents, strict=True))
    bad = put(commands.home / "runs" / RECORD["id"], RECORD, sides, digests)
    commands.assert_read_by_all(bad, good)


@given(damaged_records(RECORD))
@settings(max_examples=15, suppress_health_check=QUIET)
def test_a_record_with_wrong_values(commands, record):
    assert_all_commands_end(commands, record)


@given(damaged_files(json.dumps(RECORD).encode()))
@settings(max_examples=10, suppress_health_check=QUIET)
def test_a_record_that_is_damaged(commands, content):
    assert_all_commands_end(commands, content)


@given(st.data())
@settings(max_examples=10, suppress_health_check=QUIET)
def test_files_beside_a_record(commands, data):
    check_files(commands, data)


def check_files(commands, data):
    names = data.draw(st.lists(st.sampled_from(sorted(SIDES)), unique=True, min_size=1))
    contents = [data.draw(changed_content(name)) for name in names]
    assert_all_commands_end_with_files(commands, names, contents, data.draw(st.booleans()))


def changed_content(name):
    whole = content_of(name)
    if isinstance(SIDES[name], str):
        return damaged_files(whole)
    altered = damaged_records(SIDES[name]).map(lambda value: json.dumps(value).encode())
    return damaged_files(whole) | altered | st.just(whole)


@given(hostile_texts())
@settings(max_examples=10, suppress_health_check=QUIET)
def test_words_that_act_are_shown_as_words(commands, text):
    record = json.loads(json.dumps(RECORD))
    record["study"] = record["environment"]["cpu"] = record["unmeasured"]["latency_ms"] = text
    record["overrides"] = [text]
    record["protocol"]["float"]["model"]["name"] = text
    record["protocol"]["data"]["name"] = text
    record["plan"]["left_float"] = [[text, text]]
    record["plan"]["layers"] = {f"{text}{n}": LAYER for n in range(3)}
    assert_all_commands_end(commands, record)


def kinds_of_run_json():
    def link(path):
        path.symlink_to("run.json")

    def listening(path):
        with socket.socket(socket.AF_UNIX) as it:
            it.bind(os.path.relpath(path))

    def large(path):
        with path.open("wb") as file:
            file.truncate(100 * 2**20)

    return {
        "folder": lambda path: path.mkdir(),
        "pipe": os.mkfifo,
        "loop": link,
        "device": lambda path: path.symlink_to("/dev/zero"),
        "dangling": lambda path: path.symlink_to("nowhere"),
        "socket": listening,
        "large": large,
    }


@pytest.mark.parametrize("kind", kinds_of_run_json())
def test_what_is_called_run_json_and_is_no_file(commands, kind):
    good = fresh(commands.home)
    bad = commands.home / "runs" / RECORD["id"]
    bad.mkdir()
    kinds_of_run_json()[kind](bad / "run.json")
    commands.assert_read_by_all(bad, good)
    _, out, _ = commands.run("table", str(commands.home / "runs"))
    assert "1 unreadable, skipped" in out


def test_a_pipe_in_the_place_of_every_other_file(commands):
    good = fresh(commands.home)
    bad = put(commands.home / "runs" / RECORD["id"], RECORD | {"status": "running"})
    for name in (*SIDES, "run.lock", "run.holder.json", "stage.json", "config.yaml"):
        os.mkfifo(bad / name)
    commands.assert_read_by_all(bad, good)


def test_a_copy_under_another_name_does_not_take_a_runs_place(commands):
    good = fresh(commands.home)
    put(commands.home / "runs" / "a_copy", GOOD | {"metrics": {"top1": 0.1}})
    commands.assert_read_by_all(good, good)
    _, out, _ = commands.run("table", str(commands.home / "runs"))
    assert "43.21" in out
    assert "1 unreadable, skipped" in out


@pytest.mark.slow
@pytest.mark.timeout(3000)
@given(st.data())
@settings(max_examples=500, suppress_health_check=QUIET)
def test_five_hundred_of_all_kinds(commands, data):
    kind = data.draw(st.sampled_from(["record", "file", "sides", "words"]))
    if kind == "record":
        assert_all_commands_end(commands, data.draw(damaged_records(RECORD)))
    elif kind == "file":
        assert_all_commands_end(commands, data.draw(damaged_files(json.dumps(RECORD).encode())))
    elif kind == "sides":
        check_files(commands, data)
    else:
        test_words_that_act_are_shown_as_words.hypothesis.inner_test(
            commands, data.draw(hostile_texts())
        )
    with suppress(FileNotFoundError):
        shutil.rmtree(commands.home / "runs")
