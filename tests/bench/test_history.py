"""The history benchmark: what it reports, on a network small enough for a test."""

import json

import pytest

from bench import history

TINY = ["--model", "simple_cnn", "--batch", "2", "--size", "8", "--steps", "2", "--warmup", "1"]


@pytest.mark.usefixtures("one_thread")
def test_reports_the_cost_of_looking(tmp_path, capsys):
    history.main([*TINY, "--every", "10", "--out", str(tmp_path / "history.json")])
    report = json.loads((tmp_path / "history.json").read_text())
    assert report == json.loads(capsys.readouterr().out)
    assert report["results"]["every"] == 10
    assert report["results"]["cost_percent"]["n"] == 2
