"""The study with few images: every point runs, and the table has a row for each method."""

from pathlib import Path

import pytest

import qat

PROJECT = Path(__file__).resolve().parents[1]
FEW = ["data.train_images=96", "data.test_images=48", "calibrate.images=32"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Work in the folder of the project, with runs and cache elsewhere."""
    monkeypatch.chdir(PROJECT)
    for name in ("runs", "cache", "data"):
        monkeypatch.setenv(f"QAT_{name.upper()}", str(tmp_path / name))


@pytest.mark.filterwarnings("ignore::qat.notebook.errors.RunWarning")  # of so few images
def test_every_method_has_a_row(home):
    words = ["experiment=shift_steps", "scale=smoke", *FEW, "seed=0", "scheme.weight.bits=4"]
    records = qat.sweep(*words, config_dir=PROJECT / "conf")
    assert [record.status for record in records] == ["done"] * 3
    frame = qat.table("shift_steps", config_dir=PROJECT / "conf")
    assert set(frame["method"]) >= {"ShiftQuantizer/minmax"}
