"""qat clean, compare and show, on runs made here."""

import json

import pytest
from filelock import FileLock

from qat.records.lock import LOCK_NAME
from tests.command_line import SMALL

WORDS = [*SMALL, "mode=static"]


@pytest.fixture
def two(finished, home):
    """Two runs that differ in the width of their weights, the larger file first."""
    finished("-m", *WORDS, "scheme.weight.bits=8,3")
    records = [json.loads(path.read_text()) for path in (home / "runs").glob("*/run.json")]
    records.sort(key=lambda record: -record["metrics"]["packed_bytes"])
    return [home / "runs" / record["id"] for record in records]


def test_compare_tells_what_differs_and_what_came_of_it(qat, two):
    code, out, _ = qat("compare", *map(str, two))
    assert code == 0
    lines = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in out.splitlines()]
    settings = {line[0]: line[1:] for line in lines if len(line) == 3}
    assert settings["weight bits"] == ["8", "3"]
    assert "act bits" not in settings
    assert settings["features.1.0"][0].startswith("8/8")
    assert "dB" in settings["features.1.0"][0]
    metrics = {line[0]: line[1:] for line in lines if len(line) == 4}
    sizes = [float(text) for text in metrics["packed_bytes [KiB]"]]
    assert sizes[2] == pytest.approx(sizes[1] - sizes[0], abs=0.11)


def test_a_run_compared_with_itself_differs_in_nothing(qat, two):
    _, out, _ = qat("compare", str(two[0]), str(two[0]))
    assert "settings that differ: none" in out


def test_compare_refuses_what_is_no_run(qat, two, home):
    code, _, err = qat("compare", str(two[0]), str(home))
    assert code == 2
    assert "holds no run.json" in err


def test_show_tells_a_runs_story(qat, two):
    code, out, _ = qat("show", str(two[1]))
    assert code == 0
    first = out.splitlines()[0]
    assert first.endswith("done")
    assert "w3a8-minmax-static-seed0" in first
    for words in ("overrides: data=synthetic", "machine: ", "calibration", "packed.safetensors"):
        assert words in out


def test_clean_is_dry_and_then_deletes_what_no_run_needs(qat, home, two):
    done, other = two
    (done / "checkpoints").mkdir()
    (done / "checkpoints" / "last.ckpt").write_bytes(b"x" * 2**20)
    cut_off = home / "runs" / "cutoff"
    (cut_off / "checkpoints").mkdir(parents=True)
    record = json.loads((other / "run.json").read_text()) | {"status": "running", "id": "cutoff"}
    (cut_off / "run.json").write_text(json.dumps(record))
    never = home / "runs" / "never"
    never.mkdir()
    (never / LOCK_NAME).touch()
    digest = next((home / "cache" / "calibration").glob("*.sha256"))
    entry = digest.with_name(digest.name.removesuffix(".sha256"))
    entry.write_bytes(b"spoilt")

    code, out, _ = qat("clean")
    assert code == 0
    for path in (done / "checkpoints", never, entry):
        assert str(path.relative_to(home)) in out
        assert path.exists()
    assert "cutoff" not in out
    assert "1.0 MiB" in out
    assert "in 3 places; qat clean --force deletes them" in out

    assert "in 3 places deleted" in qat("clean", "--force")[1]
    assert not any(path.exists() for path in (done / "checkpoints", never, entry))
    assert (cut_off / "checkpoints").exists()
    assert (done / "run.json").exists()
    assert "0.0 MiB in 0 places" in qat("clean")[1]


def test_clean_leaves_what_is_being_written(qat, home, two):
    (two[0] / "checkpoints").mkdir()
    with FileLock(two[0] / LOCK_NAME):
        assert "in 0 places" in qat("clean")[1]
    assert "in 1 places" in qat("clean")[1]


def test_clean_without_anything_says_so(qat, home):
    code, _, err = qat("clean")
    assert code == 2
    assert "nothing to clean" in err
