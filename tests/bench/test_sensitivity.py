"""The sensitivity benchmark: what it reports, on a network small enough for a test."""

import json

import pytest

from bench import sensitivity

TINY = ["--model", "simple_cnn", "--images", "8", "--batch", "4", "--size", "8", "--rounds", "2"]


@pytest.mark.usefixtures("one_thread")
def test_reports_the_ratio_and_that_scores_agree(tmp_path, capsys):
    sensitivity.main([*TINY, "--widths", "2", "8", "--out", str(tmp_path / "it.json")])
    report = json.loads((tmp_path / "it.json").read_text())
    assert report == json.loads(capsys.readouterr().out)
    results = report["results"]
    assert results["ratio"]["n"] == 2
    assert results["same_scores"] is True
    assert results["layers"] == 5
    assert results["widths"] == [2, 8]
