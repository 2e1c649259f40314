"""The figures of runs: those for which there are data."""

import pytest
from matplotlib.figure import Figure

from qat.notebook.figures import of_run, of_study, run_memory
from tests.stored_runs import a_record, store

ROWS = [
    {"name": "conv1", "slot": "weight", "sqnr_db": 20.0},
    {"name": "conv1", "slot": "output", "sqnr_db": 18.0},
]


def test_a_study_has_the_figures_of_its_table(home):
    records = [store(home / "runs", a_record(f"a{bits}", bits, bits))[1] for bits in (8, 4)] + [
        a_record("failed", status="failed", error="it failed")
    ]
    figures = of_study(iter(records), "mine")
    assert {"accuracy_size", "accuracy_bits"} <= figures.keys()
    assert all(isinstance(figure, Figure) for figure in figures.values())
    assert figures["accuracy_size"].axes[0].get_title().startswith("mine: ")


def test_a_run_has_the_figures_of_its_files(home):
    _, record = store(home / "runs", a_record(), layers=ROWS)
    figures = of_run(record)
    assert list(figures) == ["layer_sqnr"]
    heights = {round(patch.get_height(), 1) for patch in figures["layer_sqnr"].axes[0].patches}
    assert heights == {0.0, 20.0, 18.0}
    with pytest.raises(ValueError, match=r"has no memory.json"):
        run_memory(record)
