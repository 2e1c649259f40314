"""Which runs a table is made of."""

from pathlib import Path

import pytest

from qat.base.errors import RequestError
from qat.config.study_file import read_study
from qat.records.studies import add_to_study
from qat.report.requested_table import requested_table
from qat.report.study_runs import study_runs, table_request
from tests.stored_runs import a_record, store


@pytest.fixture
def runs(home):
    """Two runs: one of study bitwidth at scale quick, one of none."""
    for id_ in ("aaa111", "bbb222"):
        store(home / "runs", a_record(id_))
    add_to_study(home / "runs", "bitwidth", "quick", ["aaa111"])
    return home / "runs"


def test_the_runs_of_a_study_at_the_scale_that_ran_last(runs):
    assert study_runs(read_study("bitwidth"), runs, None) == ("quick", [runs / "aaa111"])


def test_a_scale_without_runs_is_refused_with_the_others_and_the_command(runs):
    with pytest.raises(RequestError) as error:
        study_runs(read_study("bitwidth"), runs, "paper")
    assert str(error.value) == (
        f"study bitwidth has no runs at scale=paper under {runs}; it has runs at scale=quick: "
        "qat run -m experiment=bitwidth scale=paper"
    )
    with pytest.raises(RequestError, match=r"qat run -m --config-dir mine experiment=bitwidth sc"):
        study_runs(read_study("bitwidth"), runs, "paper", Path("mine"))


def test_all_runs_a_folder_a_run_and_a_study(runs):
    assert table_request([]).folders == [runs]
    assert table_request(["runs"]).folders[0].samefile(runs)
    assert [folder.name for folder in table_request(["bbb"]).folders] == ["bbb222"]
    request = table_request(["bitwidth"], strict=True)
    assert (request.study, request.strict) == ("bitwidth", True)
    assert request.layout["layout"] == "pivot"
    assert table_request(["bitwidth"], layout="pact").layout == {"layout": "pact"}


def test_runs_that_have_not_started_are_counted_below_the_table(runs):
    add_to_study(runs, "bitwidth", "quick", ["ccc333", "ddd444"])
    request = table_request(["bitwidth"])
    assert request.folders == [runs / "aaa111"]
    footer = requested_table(request).footer
    assert footer[-1] == "2 of the study's 3 runs have not started, or were deleted"
    add_to_study(runs, "symmetry", "smoke", ["eee555"])
    with pytest.raises(RequestError, match=r"no run of study symmetry has started .*scale=smoke$"):
        table_request(["symmetry"])


def test_a_study_beside_a_folder_and_an_unknown_name_are_refused(runs):
    with pytest.raises(RequestError, match="give one study, or runs and folders"):
        table_request(["bitwidth", "runs"])
    with pytest.raises(RequestError, match=r"no study 'bitwith'; .*did you mean 'bitwidth'"):
        table_request(["bitwith"])
