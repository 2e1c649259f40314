"""A run on TensorBoard: its row, its final numbers, its weights, its layers, its comparison.

Functions take an open writer, so that a run has one event file for all of them::

    with open_events(folder) as writer:
        write_hparams(writer, record)
        write_final_scalars(writer, record)

The folder must be the one the training curves go to: TensorBoard joins a row to its metrics by
folder.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import torch
from matplotlib.figure import Figure
from tensorboard.compat.proto.summary_pb2 import Summary
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from qat.analysis.layers import LayerSQNR
from qat.base.errors import InputError, UnknownNameError
from qat.records.schema import RunRecord
from qat.tracking.figures.style import show_as_text
from qat.tracking.hparams import FINAL, config_summary, session_end_summary, session_summary
from qat.tracking.layout import COLUMNS, multiline_layout

SQNR_TAGS = {"weight_db": "sqnr_weight_db", "act_db": "sqnr_act_db", "output_db": "sqnr_output_db"}


@contextmanager
def open_events(folder: Path) -> Iterator[SummaryWriter]:
    """A writer of events in a run's folder, closed (so flushed) at the end of the block."""
    writer = SummaryWriter(str(folder))
    try:
        yield writer
    finally:
        writer.close()


def write_hparams(
    writer: SummaryWriter, record: RunRecord, choices: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write the run's row of the HPARAMS tab and the layout of the custom scalars tab.

    Write it once, best when the run starts. What the tab's columns are goes to a file of its own:
    TensorBoard takes the first description that it comes across, and a view of several runs brings
    its own.

    Args:
        writer: Of the run's folder.
        record: Its plan must be there; its metrics need not.
        choices: See :func:`qat.tracking.hparams.config_summary`.
    """
    events = writer.file_writer
    if events is None:
        raise InputError("the writer is closed: write inside the block of open_events")
    write_columns(Path(writer.log_dir), config_summary(choices))
    events.add_summary(session_summary(record))
    writer.add_custom_scalars(multiline_layout())


def write_columns(folder: Path, columns: Summary) -> None:
    """Write the description of the HPARAMS tab's columns, in a file whose name ends in COLUMNS."""
    with closing(SummaryWriter(str(folder), filename_suffix=COLUMNS)) as writer:
        assert writer.file_writer is not None
        writer.file_writer.add_summary(columns)


def write_final_scalars(writer: SummaryWriter, record: RunRecord, step: int = 0) -> None:
    """Write every metric of the record as ``final/NAME``, and how the run ended."""
    for name, value in record.metrics.items():
        writer.add_scalar(f"{FINAL}/{name}", value, step)
    if record.status in ("done", "failed") and writer.file_writer is not None:
        writer.file_writer.add_summary(session_end_summary(record))


def write_weight_histograms(
    writer: SummaryWriter,
    before: Mapping[str, Tensor],
    after: Mapping[str, Tensor],
    step: int = 0,
) -> None:
    """Write each layer's weights as ``weights/LAYER/float`` and ``weights/LAYER/quantized``.

    Raises:
        KeyError: If the two do not name the same layers.
        ValueError: If a weight is empty, NaN or infinite, naming the layer.
    """
    odd = sorted(before.keys() ^ after.keys())
    if odd:
        raise UnknownNameError(
            f"weights before and after must be of the same layers; only one has {odd}"
        )
    for name in before:
        for word, weight in (("float", before[name]), ("quantized", after[name])):
            values = weight.detach().float().cpu()
            if values.numel() == 0 or not bool(torch.isfinite(values).all()):
                raise InputError(f"weight of {name} ({word}) is empty, NaN or infinite")
            writer.add_histogram(f"weights/{name}/{word}", values, step)


def write_layer_sqnr(writer: SummaryWriter, rows: Sequence[LayerSQNR], step: int = 0) -> None:
    """Write SQNR of weight, input and output of each layer, in dB.

    An infinite value (a tensor that lost nothing) has no place on an axis and is left out.
    """
    for row in rows:
        for field, tag in SQNR_TAGS.items():
            value = getattr(row, field)
            if value is not None and math.isfinite(value):
                writer.add_scalar(f"{tag}/{row.name}", value, step)


def write_comparison_text(writer: SummaryWriter, markdown: str, step: int = 0) -> None:
    """Write the comparison table (markdown) as the text page ``comparison``."""
    writer.add_text("comparison", markdown, step)


def write_figures(
    writer: SummaryWriter, figures: Mapping[str, Figure], step: int = 0, group: str = "figures"
) -> None:
    """Write figures as images ``figures/NAME``, or of another group."""
    for name, figure in figures.items():
        show_as_text(figure)
        writer.add_figure(f"{group}/{name}", figure, step, close=False)


def write_run(
    folder: Path,
    record: RunRecord,
    comparison: str,
    weights: Mapping[str, tuple[Tensor, Tensor]] | None = None,
    sqnr: Sequence[LayerSQNR] = (),
    figures: Mapping[str, Figure] | None = None,
    codes: Mapping[str, Figure] | None = None,
) -> None:
    """Write all of a finished run but its row (:func:`write_hparams`).

    Args:
        folder: The run's TensorBoard folder.
        record: With its metrics.
        comparison: The comparison as markdown.
        weights: Layer → weight before and after quantization.
        sqnr: See :func:`qat.analysis.sqnr.layer_sqnr`.
        figures: Name → figure.
        codes: Layer → bars of its codes.
    """
    pairs = weights or {}
    with open_events(folder) as writer:
        write_final_scalars(writer, record)
        write_weight_histograms(
            writer,
            {name: before for name, (before, _) in pairs.items()},
            {name: after for name, (_, after) in pairs.items()},
        )
        write_layer_sqnr(writer, sqnr)
        write_comparison_text(writer, comparison)
        write_figures(writer, figures or {})
        write_figures(writer, codes or {}, group="codes")
