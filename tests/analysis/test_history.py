"""Histories of a training survive their file."""

from qat.analysis.history import (
    HistoryRow,
    append_history,
    courses,
    forget_after,
    history_rows,
    read_history,
)


def test_rows_survive_the_file_and_a_kill_within_a_line(tmp_path):
    rows = [HistoryRow(5, "conv1", "weight", "scale", 0.1), HistoryRow(10, "fc", "act", "flips", 0)]
    append_history(tmp_path / "it.csv", rows[:1])
    append_history(tmp_path / "it.csv", rows[1:])
    with (tmp_path / "it.csv").open("a") as file:
        file.write("15,conv1,wei")
    assert read_history(tmp_path / "it.csv") == rows
    forget_after(tmp_path / "it.csv", 5)
    assert read_history(tmp_path / "it.csv") == rows[:1]
    assert courses(rows, "scale") == {"conv1.weight": [(5, 0.1)]}
    assert read_history(tmp_path / "none.csv") == []


def test_names_that_act_in_a_spreadsheet_survive_the_file(tmp_path):
    rows = [HistoryRow(1, "=HYPERLINK(1)", "act", "clipping", 0.5)]
    append_history(tmp_path / "it.csv", rows)
    assert not (tmp_path / "it.csv").read_text().splitlines()[1].startswith("1,=")
    assert read_history(tmp_path / "it.csv") == rows


def test_lines_that_are_no_rows_are_skipped():
    header = "step,layer,slot,metric,value"
    lines = [header, "x,fc,act,scale,1", "-1,fc,act,scale,1", "3,fc,act,scale,0.25", "4,fc"]
    assert history_rows("\n".join(lines)) == [HistoryRow(3, "fc", "act", "scale", 0.25)]
