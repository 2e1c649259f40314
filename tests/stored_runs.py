"""Runs written by hand: a record and the files beside it, without a computation."""

import json

from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from tests.tables.conftest import plan

PROTOCOL = {
    "data": {"name": "fashion_mini", "digest": "d" * 64},
    "float": {"model": {"name": "simple_cnn"}, "seed": 0, "checkpoint_digest": "c" * 64},
    "calibration": {"images": 1024},
}


def a_record(id_="aaa111", weight=4, act=4, **changes):
    """A finished run in mode static with three layers; keyword arguments change its fields."""
    values = {
        "status": "done",
        "mode": "static",
        "seed": 0,
        "plan": plan(weight, act),
        "protocol": PROTOCOL,
        "metrics": {"top1": 0.875, "float_top1": 0.9, "packed_bytes": 2048},
    }
    return RunRecord(id=id_, **values | changes)


def store(runs, record, **files):
    """Write a record and some files to ``runs/<id>``; gives the folder and the stored record.

    Args:
        runs: The folder of runs.
        record: Without artifacts.
        files: Artifact → content: text, or what becomes JSON. ``layers`` is ``layers.json``.
    """
    folder = RunFolder(runs / record.id).create()
    artifacts = {}
    for name, content in files.items():
        path = folder.path / ("history.csv" if name == "history" else f"{name}.json")
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        artifacts[name] = folder.artifact(path)
    if artifacts:
        record = record.move_to(record.status, artifacts=artifacts)
    folder.write(record)
    return folder.path, record
