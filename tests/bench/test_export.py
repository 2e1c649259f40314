"""The export benchmark: what it reports."""

import json

import pytest

from bench import export


@pytest.mark.slow
def test_reports_seconds_and_bytes_of_every_width(tmp_path, capsys):
    words = ["--model", "squeezenet1_1", "--size", "64", "--bits", "8", "2", "--repeats", "2"]
    export.main([*words, "--out", str(tmp_path / "export.json")])
    report = json.loads((tmp_path / "export.json").read_text())
    assert json.dumps(report, indent=2) in capsys.readouterr().out
    results = report["results"]
    assert results["float"]["bytes"] > results["w8"]["bytes"] > results["w2"]["bytes"]
    assert results["w8"]["ratio"] == results["w8"]["bytes"] / results["float"]["bytes"]
    assert results["w2"]["seconds"]["n"] == 2
