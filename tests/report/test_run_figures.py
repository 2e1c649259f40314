"""The figures of a stored run: of its chosen widths, and of its memory."""

import pytest
from matplotlib.figure import Figure

from qat.records.folder import RunFolder
from qat.report import run_figures as module
from qat.report.run_figures import memory_pictures, run_figures, saved_figures
from tests.side_files import MEMORY
from tests.stored_runs import a_record, store


def test_a_run_without_chosen_widths_has_no_figures_of_them(tmp_path):
    folder, record = store(tmp_path, a_record())
    assert run_figures(record, folder) == {}
    folder, record = store(tmp_path, a_record(), allocation={"slots": []})
    (folder / "allocation.json").write_text("another file")
    assert run_figures(record, folder) == {}


def test_a_saved_figure_is_the_content_of_its_png_file(tmp_path, monkeypatch):
    folder, record = store(tmp_path, a_record())
    assert saved_figures(record, folder, tmp_path / "none") == {}
    monkeypatch.setattr(module, "run_figures", lambda *_: {"front": Figure(figsize=(1, 1))})
    saved = saved_figures(record, folder, tmp_path / "figures")
    assert saved == {"front": (tmp_path / "figures" / "front.png").read_bytes()}
    assert (tmp_path / "figures" / "front.svg").is_file()


@pytest.fixture
def with_memory(tmp_path):
    """A run with ``memory.json`` and one file of a figure."""
    folder, record = store(tmp_path, a_record(), memory=MEMORY)
    (folder / "memory_layers.png").write_bytes(b"drawn before")
    artifact = RunFolder(folder).artifact(folder / "memory_layers.png")
    artifacts = {**record.artifacts, "memory_layers": artifact}
    return folder, record.move_to("done", artifacts=artifacts)


def test_figures_of_the_memory_are_read_from_their_files(with_memory):
    folder, record = with_memory
    assert memory_pictures(record, folder) == {"memory_layers": b"drawn before"}


def test_without_their_files_they_are_drawn(with_memory, tmp_path):
    folder, record = with_memory
    (folder / "memory_layers.png").write_bytes(b"altered")
    drawn = memory_pictures(record, folder)
    assert drawn.keys() == {"memory_layers", "memory_arena"}
    assert all(isinstance(figure, Figure) for figure in drawn.values())
    folder, record = store(tmp_path, a_record("bbb222"))
    assert memory_pictures(record, folder) == {}
