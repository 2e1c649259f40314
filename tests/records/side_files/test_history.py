"""``history.csv``: rows survive file and kill; what does not fit is named by line and column."""

import pytest

from qat.base.errors import InputError
from qat.records.schema import RunRecord
from qat.records.side_files.history import HistoryFile, HistoryRow, HistoryWriter, read_history
from qat.records.side_files.verified import SideFileError

HEADER = "step,layer,slot,metric,value\n"
FIRST, SECOND = (5, "conv1", "weight", "scale", 0.1), (10, "fc", "act", "flips", 0.0)


def rows_of(path):
    return HistoryFile.from_csv(path.read_bytes(), path).rows


def test_rows_survive_the_file_and_a_kill_within_a_line(tmp_path):
    path, writer = tmp_path / "it.csv", HistoryWriter(tmp_path / "it.csv")
    writer.append([FIRST])
    writer.append([SECOND])
    assert path.read_text() == f"{HEADER}5,conv1,weight,scale,0.1\n10,fc,act,flips,0.0\n"
    with path.open("a") as file:
        file.write("15,conv1,weight,scale,0.1")
    assert rows_of(path) == (HistoryRow(*FIRST), HistoryRow(*SECOND))
    assert HistoryFile(rows_of(path)).courses("scale") == {"conv1.weight": [(5, 0.1)]}


def test_a_training_that_goes_on_forgets_later_rows_and_lines_that_are_none(tmp_path):
    path, writer = tmp_path / "it.csv", HistoryWriter(tmp_path / "it.csv")
    writer.forget_after(5)
    assert not path.exists()
    path.write_text(f"{HEADER}5,conv1,weight,scale,0.1\n5,conv1,wei\n10,fc,act,flips,0\n")
    writer.forget_after(5)
    assert path.read_text() == f"{HEADER}5,conv1,weight,scale,0.1\n"
    writer.forget_after(4)
    assert not path.exists()


def test_names_that_act_in_a_spreadsheet_survive_the_file(tmp_path):
    path, row = tmp_path / "it.csv", (1, "=HYPERLINK(1)", "act", "clipping", 0.5)
    HistoryWriter(path).append([row])
    assert not path.read_text().splitlines()[1].startswith("1,=")
    assert rows_of(path) == (HistoryRow(*row),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x,fc,act,scale,1", "line 3: step must be an integer, got 'x'"),
        ("-1,fc,act,scale,1", "line 3: step must be an integer of 0 to 2^63 - 1, got -1"),
        ("1,fc,act,scale,", "line 3: value must be a number, got ''"),
        ("1,fc,act,colour,1", "line 3: metric must be one of scale, clipping, flips, sqnr_db"),
        ("1,fc,act,scale", "line 3: it must be 5 cells, got '1,fc,act,scale'"),
        ("", "line 3: it must be 5 cells, got ''"),
    ],
)
def test_a_line_that_is_no_row_is_named_with_its_column(line, reason, tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(f"{HEADER}1,fc,act,scale,1\n{line}\n")
    with pytest.raises(SideFileError) as caught:
        rows_of(path)
    message = str(caught.value)
    assert message.startswith(f"{path} is not what a run writes: {reason}")
    assert message.endswith("; run it again with force=true")


def test_other_columns_and_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("step,layer\n")
    with pytest.raises(SideFileError, match="line 1: columns must be step,layer,slot,metric,value"):
        rows_of(path)
    path.write_bytes(b"\xff\n")
    with pytest.raises(SideFileError, match=r"history\.csv: not UTF-8 text"):
        rows_of(path)


def test_a_run_without_a_history_has_no_rows_and_a_wrong_metric_is_not_written(tmp_path):
    record = RunRecord(id="a", status="done", mode="qat", seed=0)
    assert read_history(tmp_path, record) == HistoryFile(())
    with pytest.raises(InputError, match="metric must be one of"):
        HistoryWriter(tmp_path / "history.csv").append([(1, "fc", "act", "colour", 0.5)])
    assert not (tmp_path / "history.csv").exists()


def test_the_mean_of_the_last_steps_counts_each_value_once():
    rows = [(1, "a", 0.8), (2, "a", 0.1), (2, "b", 0.2), (3, "a", 0.3), (3, "b", 0.4)]
    history = HistoryFile(tuple(HistoryRow(s, n, "weight", "flips", v) for s, n, v in rows))
    sizes = {"a": 300, "b": 100, "no row": 7}
    assert history.mean_of_last("flips", 2, sizes) == pytest.approx((3 * 0.4 + 0.6) / 8)
    assert history.mean_of_last("flips", 1, sizes) == pytest.approx((3 * 0.3 + 0.4) / 4)
    assert history.mean_of_last("scale", 2, sizes) is None
    assert HistoryFile(()).mean_of_last("flips", 2, sizes) is None
