"""The table benchmark: its records can be read, and what it reports."""

import json

import pytest

from bench import table
from bench._commands import Taken
from tests.bench.conftest import in_this_process


@pytest.mark.usefixtures("home")
def test_a_table_of_few_records_end_to_end(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(table, "run_qat", in_this_process)
    table.main(["--records", "12", "--repeats", "2", "--out", str(tmp_path / "table.json")])
    results = json.loads((tmp_path / "table.json").read_text())["results"]
    assert results["records"] == 12
    assert results["bytes_each"] > 1000
    assert results["user_seconds"] > 0
    assert capsys.readouterr().out.count("static") == 6  # 3 settings of 5, 5 and 2 seeds, twice


def test_the_fastest_repetition_is_reported(monkeypatch, capsys):
    times = iter([Taken(9.0, 3.0, 0.5), Taken(9.0, 2.0, 0.75)])
    monkeypatch.setattr(table, "run_qat", lambda words, home: next(times))
    table.main(["--records", "1", "--repeats", "2"])
    results = json.loads(capsys.readouterr().out)["results"]
    assert (results["user_seconds"], results["system_seconds"]) == (2.0, 0.75)
