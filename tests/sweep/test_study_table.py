"""The table of a study is checked before its first run."""

import pytest

from qat.config.study_file import read_study, study_names
from qat.sweep.study_table import check_study_table
from qat.tables.errors import TableError


@pytest.mark.parametrize("name", study_names())
def test_the_tables_of_our_studies_are_accepted(name):
    check_study_table(read_study(name).table)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"columns": ["drop"]}, "no column 'drop'"),
        ({"columns": ["top1"], "bold": ["topp1"]}, "no column 'topp1'"),
        ({"columns": ["top1"], "baseline": {"mod": "float"}, "compare": ["top1"]}, "column 'mod'"),
        ({"column": ["top1"]}, "a table has no 'column'"),
        ({"layout": "pivots"}, "layout must be one of"),
    ],
)
def test_an_unknown_name_is_refused(layout, message):
    with pytest.raises(TableError, match=message):
        check_study_table(layout)


def test_paths_times_and_measured_conditions_are_names():
    check_study_table({"columns": ["protocol.training.max_epochs", "seconds.training", "id"]})
    check_study_table({"columns": ["latency_ms_b64_t2"]})
