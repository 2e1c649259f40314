"""A holder that stopped breathing on another host is dead; on this host the lock itself tells."""

import json
import socket
import time

import pytest
from filelock import FileLock

from qat.records import lock
from qat.records.lock import HOLDER_NAME, LOCK_NAME, LockedError, holder, is_held, locked


def held_by(folder, host, age_seconds):
    facts = {"pid": 1, "host": host, "heartbeat_unix": time.time() - age_seconds}
    (folder / HOLDER_NAME).write_text(json.dumps(facts))


@pytest.mark.parametrize(
    ("host", "age_seconds", "held"),
    [
        pytest.param("elsewhere", 299, True, id="fresh"),
        pytest.param("elsewhere", 301, False, id="stale"),
        pytest.param(socket.gethostname(), 10_000, True, id="stale on this host"),
    ],
)
def test_a_held_lock_counts_while_its_holder_breathes(tmp_path, host, age_seconds, held):
    with FileLock(tmp_path / LOCK_NAME):
        held_by(tmp_path, host, age_seconds)
        assert is_held(tmp_path) is held


def test_the_lock_of_a_dead_host_is_taken_over(tmp_path):
    with FileLock(tmp_path / LOCK_NAME):
        held_by(tmp_path, "elsewhere", 299)
        with pytest.raises(LockedError, match="process 1 on elsewhere"), locked(tmp_path):
            pass
        held_by(tmp_path, "elsewhere", 301)
        with locked(tmp_path):
            assert holder(tmp_path)["host"] == socket.gethostname()


def test_the_heart_beats(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "HEARTBEAT_SECONDS", 0.02)
    with locked(tmp_path):
        first = holder(tmp_path)["heartbeat_unix"]
        deadline = time.monotonic() + 10
        while holder(tmp_path)["heartbeat_unix"] == first and time.monotonic() < deadline:
            time.sleep(0.01)
        assert holder(tmp_path)["heartbeat_unix"] > first
    assert holder(tmp_path) == {}
