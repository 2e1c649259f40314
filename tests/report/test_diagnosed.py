"""A diagnosis as an object: its text, its table, its findings."""

import pytest

from qat.base.errors import RequestError
from qat.report.diagnosed import diagnosis_of
from tests.stored_runs import a_record, store

ROWS = [
    {"name": "first", "slot": "weight", "sqnr_db": 40.0, "bits": 8, "granularity": "channel"},
    {"name": "first", "slot": "act", "sqnr_db": 12.0, "bits": 8, "clipped": 0.2, "used_codes": 1.0},
    {"name": "first", "slot": "output", "sqnr_db": 12.0, "alone_db": 12.0},
    {"name": "<last>", "slot": "output", "sqnr_db": None},
]


@pytest.fixture
def diagnosis(home):
    record = a_record(environment={"warnings": ["training diverged"]})
    return diagnosis_of(store(home / "runs", record, layers=ROWS)[0])


def test_the_table_has_the_figures_of_each_layer(diagnosis):
    frame = diagnosis.to_frame()
    assert frame.index.tolist() == ["first", "<last>"]
    first = frame.loc["first"]
    assert (first.weight_db, first.act_db, first.clipped, first.output_db) == (40, 12, 0.2, 12)
    assert first.stands_out
    assert frame.act_db.isna().tolist() == [False, True]


def test_lines_name_the_fall_the_warning_and_the_cure(diagnosis):
    fall, warning, kind, _, *cures = diagnosis.lines()
    assert fall == "the first output to fall is that of first: 12.0 dB"
    assert warning == "• warning: training diverged"
    assert kind == "• the input loses more than its bits explain"  # LSQ clips on purpose
    assert cures
    assert [finding.kind for finding in diagnosis.findings] == [kind.removeprefix("• ")]
    text = str(diagnosis).splitlines()
    assert text[0] == "run aaa111: top-1 90.00 % in float, 87.50 % quantized"
    assert text[-len(diagnosis.lines()) :] == diagnosis.lines()


def test_html_has_the_same_and_shows_names_as_text(diagnosis):
    html = diagnosis._repr_html_()
    assert "&lt;last&gt;" in html
    assert "<last>" not in html
    assert "• warning: training diverged" in html


def test_a_folder_without_a_run_is_refused(home):
    with pytest.raises(RequestError, match=r"holds no run.json"):
        diagnosis_of(home)
