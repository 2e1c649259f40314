"""The stage that a run is in: noted, read, forgotten; a damaged file is no stage."""

import json
import time

import pytest

from qat.records.stage import STAGE_NAME, forget_stage, note_stage, noted_stage


def test_the_last_stage_is_read_until_the_run_ends(tmp_path):
    before = time.time()
    note_stage(tmp_path, "calibration")
    note_stage(tmp_path, "training")
    stage = noted_stage(tmp_path)
    assert stage.name == "training"
    assert before <= stage.since <= time.time()
    forget_stage(tmp_path)
    forget_stage(tmp_path)
    assert noted_stage(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"name": "a"}',
        '{"since": -1}',
        '{"since": "x"}',
        json.dumps({"since": 1e11}),
    ],
)
def test_a_damaged_file_is_no_stage(tmp_path, content):
    (tmp_path / STAGE_NAME).write_text(content)
    assert noted_stage(tmp_path) is None
