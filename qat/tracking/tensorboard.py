"""A run in TensorBoard: settings, final metrics, weights, SQNR of layers, comparison, figures.

SQNR is the signal-to-quantization-noise ratio. The functions take an open writer, so that a run has
one event file::

    with open_events(folder) as writer:
        write_hparams(writer, record)
        write_final_scalars(writer, record)

The folder must be that of the training curves: TensorBoard connects the settings of a run with its
metrics by the folder.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path

import torch
from matplotlib.figure import Figure
from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary
from torch import Tensor
from torch.utils.tensorboard import FileWriter, SummaryWriter

from qat.analysis.layers import LayerSQNR
from qat.base.errors import InputError, UnknownNameError
from qat.records.schema import RunRecord
from qat.tracking.figures.png import png
from qat.tracking.hparams import FINAL, config_summary, session_end_summary, session_summary
from qat.tracking.layout import COLUMNS, multiline_layout

Picture = Figure | bytes
"""A figure, or the content of its PNG file."""
SQNR_TAGS = {"weight_db": "sqnr_weight_db", "act_db": "sqnr_act_db", "output_db": "sqnr_output_db"}


@contextmanager
def open_events(folder: Path) -> Iterator[SummaryWriter]:
    """A writer of events in a run's folder; it is closed, and so flushed, at the end."""
    writer = SummaryWriter(str(folder))
    try:
        yield writer
    finally:
        writer.close()


def write_hparams(
    writer: SummaryWriter, record: RunRecord, choices: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write the run's row of the HPARAMS tab and the layout of the custom scalars tab.

    Call it once, best at the start of the run. The description of the columns is written to a
    separate file: TensorBoard uses the first description that it reads, and a view of several runs
    has its own.

    Args:
        writer: Of the run's folder.
        record: With its plan; metrics are not needed.
        choices: See :func:`qat.tracking.hparams.config_summary`.

    Raises:
        ValueError: If the writer is closed.
        KeyError: If ``choices`` has an unknown setting.
    """
    events = _events(writer)
    write_columns(Path(writer.log_dir), config_summary(choices))
    events.add_summary(session_summary(record))
    writer.add_custom_scalars(multiline_layout())


def _events(writer: SummaryWriter) -> FileWriter:
    """The open file of a writer."""
    if writer.file_writer is None:
        raise InputError("the writer is closed: write inside the block of open_events")
    return writer.file_writer


def write_columns(folder: Path, columns: Summary) -> None:
    """Write the description of the HPARAMS tab's columns to a file whose name ends in ``COLUMNS``.

    Args:
        folder: Of the event files.
        columns: From :func:`qat.tracking.hparams.config_summary`.
    """
    with closing(SummaryWriter(str(folder), filename_suffix=COLUMNS)) as writer:
        assert writer.file_writer is not None
        writer.file_writer.add_summary(columns)


def write_final_scalars(writer: SummaryWriter, record: RunRecord, step: int = 0) -> None:
    """Write every metric of the record as ``final/NAME``, and the final status of the run.

    Args:
        writer: Of the run's folder.
        record: With its metrics.
        step: Step of the values.
    """
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

    Args:
        writer: Of the run's folder.
        before: Layer → float weight.
        after: Layer → quantized weight, of the same layers.
        step: Step of the histograms.

    Raises:
        KeyError: If the two have different layers.
        ValueError: If a weight is empty, NaN or infinite; the message names the layer.
    """
    unmatched = sorted(before.keys() ^ after.keys())
    if unmatched:
        raise UnknownNameError(
            f"weights before and after must be of the same layers; only one has {unmatched}"
        )
    for name in before:
        for word, weight in (("float", before[name]), ("quantized", after[name])):
            values = weight.detach().float().cpu()
            if values.numel() == 0 or not bool(torch.isfinite(values).all()):
                raise InputError(f"weight of {name} ({word}) is empty, NaN or infinite")
            writer.add_histogram(f"weights/{name}/{word}", values, step)


def write_layer_sqnr(writer: SummaryWriter, rows: Sequence[LayerSQNR], step: int = 0) -> None:
    """Write the SQNR of weight, input and output of each layer, in dB.

    An infinite value (quantization without any error) cannot be drawn and is left out.

    Args:
        writer: Of the run's folder.
        rows: See :func:`qat.analysis.sqnr.layer_sqnr`.
        step: Step of the values.
    """
    for row in rows:
        for field, tag in SQNR_TAGS.items():
            value = getattr(row, field)
            if value is not None and math.isfinite(value):
                writer.add_scalar(f"{tag}/{row.name}", value, step)


def write_comparison_text(writer: SummaryWriter, markdown: str, step: int = 0) -> None:
    """Write the comparison table as the text page ``comparison``.

    Args:
        writer: Of the run's folder.
        markdown: The table.
        step: Step of the text.
    """
    writer.add_text("comparison", markdown, step)


def write_figures(
    writer: SummaryWriter,
    figures: Mapping[str, Picture],
    step: int = 0,
    group: str = "figures",
) -> None:
    """Write figures as images ``GROUP/NAME``.

    Args:
        writer: Of the run's folder.
        figures: Name → figure, or the content of its PNG file.
        step: Step of the images.
        group: Tag group of the images.

    Raises:
        ValueError: If the writer is closed.
    """
    events = _events(writer)
    for name, figure in figures.items():
        content = figure if isinstance(figure, bytes) else png(figure)
        value = Summary.Value(tag=f"{group}/{name}", image=_image(content))
        events.add_summary(Summary(value=[value]), step)


def _image(content: bytes) -> Summary.Image:
    with Image.open(BytesIO(content)) as image:  # reads no more than the size
        return Summary.Image(
            width=image.width,
            height=image.height,
            colorspace=len(image.getbands()),
            encoded_image_string=content,
        )


def write_run(
    folder: Path,
    record: RunRecord,
    comparison: str,
    weights: Mapping[str, tuple[Tensor, Tensor]] | None = None,
    sqnr: Sequence[LayerSQNR] = (),
    figures: Mapping[str, Picture] | None = None,
    codes: Mapping[str, Picture] | None = None,
) -> None:
    """Write everything of a finished run except its settings (:func:`write_hparams`).

    Args:
        folder: The run's TensorBoard folder.
        record: With its metrics.
        comparison: The comparison as markdown.
        weights: Layer → weight before and after quantization; None for none.
        sqnr: See :func:`qat.analysis.sqnr.layer_sqnr`.
        figures: Name → figure, or the content of its PNG file; None for none.
        codes: Layer → the same of its codes; None for none.

    Raises:
        ValueError: If a weight is empty, NaN or infinite.
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
