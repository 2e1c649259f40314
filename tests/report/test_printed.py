"""Output of a finished run and of a table, in pipes and at a given width."""

from qat.records.warned import with_warnings
from qat.report.printed import print_comparison, print_deployment, print_record_line, print_table
from qat.tables.table import make_table
from tests.side_files import UNPLANNED
from tests.stored_runs import a_record, store


def test_the_comparison_has_both_networks_notes_warnings_and_float_layers(capsys):
    plan = {"layers": {}, "left_float": [["norm", "LayerNorm"]]}
    record = a_record(plan=plan, unmeasured={"packed_bytes": "no file"}, metrics={"top1": 0.875})
    print_comparison(with_warnings(record, ["training diverged"]))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("simple_cnn on fashion_mini: ")
    (top1,) = [line for line in lines if "top-1 [%]" in line]
    assert "87.50" in top1
    assert "  warning: training diverged" in lines
    assert "  left float: 1 layer (norm)" in lines
    assert any(line.startswith("  – ") and line.endswith("no file") for line in lines)


def test_a_table_is_markdown_in_a_pipe_and_leaves_out_columns_at_a_width(capsys, monkeypatch):
    table = make_table([a_record()])
    monkeypatch.delenv("COLUMNS", raising=False)
    print_table(table)
    out = capsys.readouterr().out
    assert "| w4a4-lsq | static |" in out
    monkeypatch.setenv("COLUMNS", "60")
    print_table(table)
    narrow = capsys.readouterr().out
    assert max(map(len, narrow.splitlines())) <= 60
    assert "qat table --wide shows all" in " ".join(narrow.split())
    print_table(table, wide=True)
    wide = capsys.readouterr().out
    assert max(map(len, wide.splitlines())) > 60
    assert "left out" not in wide


def test_a_damaged_file_is_named_and_the_path_of_the_record_comes_last(tmp_path, capsys):
    folder, record = store(tmp_path, a_record(), memory=UNPLANNED)
    print_deployment(folder, record)
    assert capsys.readouterr().out == "  memory is not planned: it branches on a tensor\n"
    (folder / "memory.json").write_text("{}")
    print_deployment(folder, record)
    print_record_line(folder / "run.json")
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("  skipped: ")
    assert "memory.json" in first
    assert last == f"record: {folder / 'run.json'}"
