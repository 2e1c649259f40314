"""The figures of a run and of a study, as the commands draw them."""

from collections.abc import Iterable
from pathlib import Path

from qat.analysis.layers import by_layer
from qat.base.errors import InputError
from qat.notebook.run_folder import Run, run_folder
from qat.records.schema import RunRecord
from qat.records.side_files.layers import read_layers
from qat.records.side_files.memory import MemoryFile
from qat.records.side_files.typed_file import read_side_file
from qat.records.store import seen_record
from qat.report.layer_rows import tensor_rows_of
from qat.report.run_figures import run_figures
from qat.report.run_files import memory_of
from qat.report.study_figures import all_figures, history_figures, run_history
from qat.tracking.figures.layers import sqnr_figure
from qat.tracking.figures.memory import memory_figures
from qat.tracking.figures.style import Figure


def of_run(run: Run, runs: Path | str | None = None) -> dict[str, Figure]:
    """Draw every figure for which a run has data.

    They show the SQNR of its layers, its memory, the history of its quantizers and, in mode mixed,
    the chosen widths.

    Args:
        run: The run's record, folder, id, the first characters of its id, or its name.
        runs: Folder of runs, if the run is not in the usual one.

    Returns:
        Name → figure.

    Raises:
        KeyError: If there is no such run.
        ValueError: If a file of the run is damaged.

    Example:
        >>> import qat
        >>> small = ["data=synthetic", "data.train_images=64", "float=smoke", "tracking=none"]
        >>> record = qat.run(*small, "scheme=w4a4")
        >>> sorted(qat.plot.of_run(record))
        ['layer_sqnr', 'memory_arena', 'memory_layers']
    """
    folder = run_folder(run, runs)
    record = seen_record(folder)
    figures = {}
    if rows := by_layer(tensor_rows_of(read_layers(folder, record))):
        figures["layer_sqnr"] = sqnr_figure(rows)
    if (memory := memory_of(folder, record)) is not None:
        figures |= memory_figures(memory)
    return figures | history_figures(run_history(folder, record)) | run_figures(record, folder)


def run_memory(run: Run, runs: Path | str | None = None) -> MemoryFile:
    """Read a run's ``memory.json``, the data of the figures of arenas and layers.

    Args:
        run: The run's record, folder, id, the first characters of its id, or its name.
        runs: Folder of runs, if the run is not in the usual one.

    Raises:
        KeyError: If there is no such run.
        ValueError: If the run has no such file, or the file is not the one that it wrote.

    Example:
        >>> import qat
        >>> small = ["data=synthetic", "data.train_images=64", "float=smoke", "tracking=none"]
        >>> record = qat.run(*small, "scheme=w4a4")
        >>> memory = qat.plot.run_memory(record)
        >>> arena = memory.planned.networks["network"]
        >>> qat.plot.arena_figure(arena, memory.batch).axes[0].get_xlabel()
        'operation'
    """
    folder = run_folder(run, runs)
    file = read_side_file(folder, seen_record(folder), MemoryFile)
    if file is None:
        raise InputError(f"run {folder.name} has no {MemoryFile.NAME}: run it to its end first")
    return file


def of_study(
    records: Iterable[RunRecord], title: str = "", runs: Path | str | None = None
) -> dict[str, Figure]:
    """Draw every figure for which the records of a study have data, as ``qat table --into``.

    They show accuracy against size, bit operations and latency, and by bits or by setting; the
    SQNR of layers; and the history of quantizers over a training.

    Args:
        records: Records of runs, as :func:`qat.sweep` returns them.
        title: Beginning of the titles, such as the name of the study.
        runs: Folder of runs, if the runs are not in the usual one.

    Returns:
        Name → figure.

    Raises:
        KeyError: If a run has no folder.

    Example:
        >>> import qat
        >>> small = ["data=synthetic", "data.train_images=64", "float=smoke", "tracking=none"]
        >>> records = qat.sweep(*small, "scheme=w4a4,w8a8")
        >>> "accuracy_size" in qat.plot.of_study(records)
        True
    """
    done = [record for record in records if record.status == "done"]
    return all_figures(done, {record.id: run_folder(record, runs) for record in done}, title)
