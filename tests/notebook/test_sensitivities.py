"""``qat.sensitivities`` is the run's ``sensitivity.json`` beside its ``allocation.json``."""

import math

import pytest

from qat.notebook.sensitivities import sensitivities
from qat.records.side_files.verified import SideFileError
from tests.side_files import ALLOCATION, SENSITIVITY
from tests.stored_runs import a_record, store


def test_scores_and_chosen_widths_are_those_of_the_files(home):
    files = {"sensitivity": SENSITIVITY, "allocation": ALLOCATION}
    folder, record = store(home / "runs", a_record(mode="mixed"), **files)
    frame = sensitivities(record)
    assert frame.equals(sensitivities(folder.name[:4]))
    assert frame.values.tolist() == [
        ["conv", "weight", 4, 0.5, True],
        ["conv", "weight", 8, -math.inf, False],
        ["conv", "act", 4, 2.0, False],  # 8 bits were chosen, which have no score
    ]
    assert frame.attrs == {"metric": "loss", "unit": "", "higher_is_worse": True}


def test_a_run_of_another_mode_and_a_changed_file_are_refused(home):
    store(home / "runs", a_record("a1"))
    with pytest.raises(ValueError, match=r"run a1 \(static, done\) has no sensitivity.json"):
        sensitivities("a1")
    files = {"sensitivity": SENSITIVITY, "allocation": ALLOCATION}
    folder, record = store(home / "runs", a_record("b2", mode="mixed"), **files)
    (folder / "allocation.json").write_text("{}")
    with pytest.raises(SideFileError, match="SHA-256"):
        sensitivities(record)
