"""Where a run lost accuracy, layer by layer, and which settings to try."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from qat.analysis.diagnosis import MORE_IMAGES, Finding, LayerRows, findings, first_fall, layer_rows
from qat.base.plurals import counted
from qat.config.study_grids import key_of
from qat.records.schema import RunRecord
from qat.records.side_files.layers import read_layers
from qat.records.side_files.verified import SideFileError
from qat.report.layer_rows import tensor_rows_of
from qat.report.next_steps import config_dir_of, reference

MOST_LAYERS = 4
"""Number of layers shown for each finding."""
LEGEND = """\
W, A       SQNR of weight and input, dB (signal-to-quantization-noise ratio)
worst      SQNR of the worst output channel of the weight, dB
range      range of the widest weight channel / range of the median channel
clip       share of the input's values outside the range
codes      share of the input's codes that occur
alone      SQNR of the output if only this layer is quantized, dB
out        SQNR of the output in the quantized network, dB"""
NOTABLE_DROP = 0.01
"""A run that loses more top-1 than this (one point) advises ``qat diagnose``."""


def run_layers(folder: Path, record: RunRecord) -> list[LayerRows]:
    """The layers of a run, in the order of its plan.

    Args:
        folder: Folder of the run.
        record: Its record.

    Raises:
        SideFileError: If ``layers.json`` is missing, damaged or not the file that the run wrote.
    """
    rows = tensor_rows_of(read_layers(folder, record))
    return layer_rows(rows, (record.plan or {}).get("layers", {}))


def drop_lines(folder: Path, record: RunRecord) -> list[str]:
    """Two lines about a drop of more than one point: the layer, and the command to type.

    Args:
        folder: Folder of the run.
        record: Its record.

    Returns:
        The lines; none if top-1 fell by at most :data:`NOTABLE_DROP`.
    """
    drop = record.metrics.get("top1_drop", 0.0)
    if drop <= NOTABLE_DROP:
        return []
    try:
        layers = run_layers(folder, record)
    except SideFileError as error:
        return [f"top-1 fell by {100 * drop:.2f} points; the cause is unknown: {error}"]
    if not layers:
        return []
    where = fall_lines(layers) or [finding.kind for finding in findings(layers)] or ["unknown"]
    return [
        f"top-1 fell by {100 * drop:.2f} points: {where[0]}",
        f"what to try: qat diagnose {reference(folder)}",
    ]


def headline(record: RunRecord) -> str:
    """The accuracy of the float network and of the quantized network."""
    metrics = record.metrics
    if "top1" not in metrics or "float_top1" not in metrics:
        return f"run {record.id}: no accuracy was measured"
    before, after = 100 * metrics["float_top1"], 100 * metrics["top1"]
    return f"run {record.id}: top-1 {before:.2f} % in float, {after:.2f} % quantized"


def layers_table(layers: Sequence[LayerRows]) -> Table:
    """A row for each layer; see :data:`LEGEND`."""
    table = Table("layer", box=SIMPLE)
    for heading in ("W", "worst", "range", "A", "clip", "codes", "alone", "out"):
        table.add_column(heading, justify="right")
    for layer in layers:
        table.add_row(layer.name, *_cells(layer), style="bold" if layer.stands_out else "")
    return table


def _cells(layer: LayerRows) -> tuple[str, ...]:
    weight, act, output = layer.weight, layer.act, layer.output
    return (
        _number(weight.sqnr_db if weight else None),
        _number(weight.worst_channel_db if weight else None),
        _number(weight.channel_range_ratio if weight else None),
        _number(act.sqnr_db if act else None),
        _share(act.clipped if act else None),
        _share(act.used_codes if act else None),
        _number(output.alone_db),
        _number(output.sqnr_db),
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"


def fall_lines(layers: Sequence[LayerRows]) -> list[str]:
    """One line about the first output that falls; none if no output does."""
    fall = first_fall(layers)
    if fall is None:
        return []
    layer, before = fall
    earlier = "" if before == float("inf") else f" (outputs before it: {before:.1f} dB or more)"
    return [
        f"the first output to fall is that of {layer.name}: {layer.output.sqnr_db:.1f} dB{earlier}"
    ]


def finding_lines(
    noteworthy: Sequence[Finding], record: RunRecord, folder: Path | None = None
) -> list[str]:
    """The findings, with the commands to try.

    Args:
        noteworthy: What stands out, the worst first.
        record: Record of the run, for the commands.
        folder: Its folder, for the commands; None if the id of the run names it.
    """
    lines = []
    for finding in noteworthy:
        lines.append(f"• {finding.kind}")
        shown = list(finding.layers.items())[:MOST_LAYERS]
        lines += [f"    {layer}: {figures}" for layer, figures in shown]
        if len(finding.layers) > MOST_LAYERS:
            lines.append(f"    … and {counted(len(finding.layers) - MOST_LAYERS, 'more layer')}")
        settings = [_filled(setting, record) for setting in finding.settings]
        lines += [
            f"    try: {_command(record, setting, folder)}" for setting in settings if setting
        ]
    return lines


def _filled(setting: str, record: RunRecord) -> str:
    """Fill in the number of images: four times as many, or all; empty if all are in use."""
    if setting != MORE_IMAGES:
        return setting
    used = record.protocol.get("calibration", {}).get("images", 0)
    available = record.protocol.get("data", {}).get("train_images", 0)
    images = min(4 * used, available)
    return setting.format(images=images) if images > used else ""


def _command(record: RunRecord, setting: str, folder: Path | None) -> str:
    """The command that repeats the run with a setting, without options of a replaced observer.

    Code that an override names must be named again.
    """
    group, _, slot = setting.partition("=")[0].partition("@")
    options = f"{slot}.observer_" if group == "observer" else None
    words = {word: key_of(word) for word in record.overrides}
    name = record.id if folder is None else reference(folder)
    start = f"qat run --from {name}"
    kept = [word for word in words if "target=" in word or "target:" in word]
    if options is not None and any(key.startswith(options) for key in words.values()):
        start, replaced = "qat run", (options, f"observer@{slot}")
        kept = [word for word, key in words.items() if not key.startswith(replaced)]
    start += config_dir_of(record)
    return " ".join([start, *map(shlex.quote, kept), setting])


def float_lines(record: RunRecord) -> list[str]:
    """One line with the operations that stay float; none if all are quantized."""
    names = [name for name, _ in (record.plan or {}).get("left_float", ())]
    if not names:
        return []
    verb = "stays" if len(names) == 1 else "stay"
    return [f"• {counted(len(names), 'operation')} {verb} float: {', '.join(names)}"]
