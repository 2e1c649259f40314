"""The TensorBoard page of a run, from the finished computation or from the record alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qat.analysis.history import TAGS
from qat.analysis.layers import LayerSQNR, by_layer
from qat.base.printing import complain_line
from qat.records.schema import RunRecord
from qat.records.side_files.layers import read_layers
from qat.records.side_files.verified import SideFileError
from qat.report.layer_rows import tensor_rows_of
from qat.report.run_figures import memory_pictures, run_figures
from qat.report.run_files import deployment_markdown, sensitivities_of
from qat.report.study_figures import history_figures, run_history
from qat.tables.comparison import comparison_markdown
from qat.tables.render import markdown
from qat.tracking.figures.codes import codes_pictures
from qat.tracking.figures.layers import sqnr_figure
from qat.tracking.layout import EVENTS
from qat.tracking.page_tensors import PageTensors
from qat.tracking.tensorboard import Picture, open_events, write_hparams, write_run


def write_pages(
    folder: Path,
    record: RunRecord,
    tensors: PageTensors,
    pictures: Mapping[str, Picture] | None = None,
) -> None:
    """Write the HPARAMS row, final figures, histograms, codes, SQNR and the comparison.

    Args:
        folder: Folder of the run.
        record: Its record, of status done.
        tensors: Tensors of its network after the run.
        pictures: Figures of the run that are drawn already; None draws them.
    """
    if pictures is None:
        pictures = run_figures(record, folder)
    codes = codes_pictures(tensors.codes)
    _write(folder / EVENTS, folder, record, tensors.rows, pictures, tensors.weights, codes)


def write_pages_of_record(tb: Path, folder: Path, record: RunRecord) -> None:
    """Write the page of a finished run from its record and its files, as far as they have the data.

    Args:
        tb: Folder for the events.
        folder: Folder of the run.
        record: Its record, of status done.
    """
    try:
        rows = by_layer(tensor_rows_of(read_layers(folder, record)))
    except SideFileError as error:
        complain_line(f"skipped: {error}")
        rows = []
    _write(tb, folder, record, rows, run_figures(record, folder), words=f"\n\n{left_out(record)}")
    with open_events(tb) as writer:
        for row in run_history(folder, record).rows:
            writer.add_scalar(f"{TAGS[row.metric]}/{row.layer}.{row.slot}", row.value, row.step)


def left_out(record: RunRecord) -> str:
    """One line with the parts that a page from the record alone does not have."""
    lacks = [] if record.mode == "float" else ["histograms", "bars of codes"]
    lacks += ["curves of accuracy and loss"] if "training" in record.protocol else []
    text = f", without {', '.join(lacks)}: force=true computes them" if lacks else ""
    return f"written from the record{text}"


def _write(
    tb: Path,
    folder: Path,
    record: RunRecord,
    rows: Sequence[LayerSQNR],
    pictures: Mapping[str, Picture],
    weights: Mapping[str, tuple[Any, Any]] | None = None,
    codes: Mapping[str, Picture] | None = None,
    words: str = "",
) -> None:
    with open_events(tb) as writer:
        write_hparams(writer, record)
    figures: dict[str, Picture] = {"sqnr": sqnr_figure(rows)} if rows else {}
    figures |= pictures
    figures |= history_figures(run_history(folder, record))
    figures |= memory_pictures(record, folder)
    write_run(
        tb,
        record,
        comparison_markdown(record) + _markdown_list(folder, record) + words,
        weights=weights,
        sqnr=rows,
        figures=figures,
        codes=codes,
    )


def _markdown_list(folder: Path, record: RunRecord) -> str:
    """The chosen widths, the results of the runtime and the memory, as a markdown list."""
    listed = deployment_markdown(folder, record)
    table = sensitivities_of(folder, record)
    return listed if table is None else f"{listed}\n\n{markdown(table)}"
