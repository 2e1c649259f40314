"""The benchmark of calibrations: what it reports, on a network small enough for a test."""

import json

import numpy as np
import pytest

from bench import calibration

TINY = ["--model", "simple_cnn", "--images", "8", "--batch", "4", "--size", "8", "--rounds", "2"]


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("from_file", [False, True])
def test_reports_ratios_and_that_ranges_agree(tmp_path, capsys, from_file):
    words = [*TINY, "--out", str(tmp_path / "it.json")]
    if from_file:
        generator = np.random.default_rng(0)
        images = generator.integers(0, 256, (9, 8, 8, 3), dtype=np.uint8)
        np.savez(tmp_path / "it.npz", train_images=images)
        words += ["--data", str(tmp_path / "it.npz")]
    calibration.main(words)
    report = json.loads((tmp_path / "it.json").read_text())
    assert report == json.loads(capsys.readouterr().out)
    results = report["results"]
    assert results["observers"] == 9
    assert results["same_ranges"] is True
    assert results["ratio"]["n"] == results["cpu_ratio_minmax"]["n"] == 2
