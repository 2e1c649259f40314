"""``qat.layers`` is the run's ``layers.json``."""

import json
import math

import pytest

from qat.notebook.layers import layers
from qat.records.side_files.verified import SideFileError
from tests.stored_runs import a_record, store

ROWS = [
    {"name": "a", "slot": "weight", "sqnr_db": 20.5, "bits": 4, "clipped": 0.25},
    {"name": "a", "slot": "output", "sqnr_db": None, "alone_db": 19.0},
]


def test_the_rows_of_the_file_are_those_of_the_frame(home):
    folder, record = store(home / "runs", a_record(), layers=ROWS)
    frame = layers(record)
    assert frame.equals(layers(folder.name[:4]))
    stored = json.loads((folder / "layers.json").read_text())
    assert frame.name.tolist() == [row["name"] for row in stored]
    assert frame.sqnr_db.tolist() == [20.5, math.inf]  # None in the file: nothing was lost
    assert (frame.bits[0], frame.clipped[0], frame.alone_db[1]) == (4, 0.25, 19.0)


def test_a_run_without_layers_and_a_changed_file_are_refused(home):
    store(home / "runs", a_record("f1", mode="float", plan=None))
    with pytest.raises(ValueError, match=r"run f1 \(float, done\) has no layers.json"):
        layers("f1")
    folder, record = store(home / "runs", a_record("a1"), layers=ROWS)
    (folder / "layers.json").write_text("[]")
    with pytest.raises(SideFileError, match="SHA-256"):
        layers(record)
