"""Why a run's accuracy fell, layer by layer, and which setting to try."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from qat.analysis.diagnosis import MORE_IMAGES, Finding, LayerRows, findings, first_fall, layer_rows
from qat.config.study_grids import key_of
from qat.records.schema import RunRecord
from qat.records.side_files.layers import read_layers
from qat.records.side_files.verified import SideFileError
from qat.report.layer_rows import tensor_rows_of

MOST_LAYERS = 4
"""Shown of each finding."""
LEGEND = """\
W, A       SQNR of weight and input, dB (signal-to-quantization-noise ratio)
worst      SQNR of the worst output channel of the weight, dB
range      the widest channel's range over the median channel's
clip       share of the input's values outside the range
codes      share of the input's codes that occur
alone      SQNR of the output if this layer alone is quantized, dB
out        SQNR of the output in the quantized network, dB"""
NOTABLE_DROP = 0.01
"""A drop of top-1 from which on the end of a run points here: one point."""


def run_layers(folder: Path, record: RunRecord) -> list[LayerRows]:
    """The layers of a run in the order of its plan.

    Raises:
        SideFileError: If ``layers.json`` is gone, damaged or another file.
    """
    rows = tensor_rows_of(read_layers(folder, record))
    return layer_rows(rows, (record.plan or {}).get("layers", {}))


def drop_lines(folder: Path, record: RunRecord) -> list[str]:
    """What the end of a run says of a drop of more than a point: where, and how to learn more."""
    drop = record.metrics.get("top1_drop", 0.0)
    if drop <= NOTABLE_DROP:
        return []
    try:
        layers = run_layers(folder, record)
    except SideFileError as error:
        return [f"top-1 fell by {100 * drop:.2f} points; why is not known: {error}"]
    if not layers:
        return []
    where = fall_lines(layers) or [finding.kind for finding in findings(layers)] or ["unknown"]
    return [
        f"top-1 fell by {100 * drop:.2f} points: {where[0]}",
        f"what to try: qat diagnose {record.id}",
    ]


def headline(record: RunRecord) -> str:
    """Accuracy before and after."""
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
    """Which output falls first; nothing if none does."""
    fall = first_fall(layers)
    if fall is None:
        return []
    layer, before = fall
    came_from = "" if before == float("inf") else f", after {before:.1f} dB"
    return [
        f"the first output to fall is that of {layer.name}: "
        f"{layer.output.sqnr_db:.1f} dB{came_from}"
    ]


def finding_lines(noteworthy: Sequence[Finding], record: RunRecord) -> list[str]:
    """What stands out, and the commands to try."""
    lines = []
    for finding in noteworthy:
        lines.append(f"• {finding.kind}")
        shown = list(finding.layers.items())[:MOST_LAYERS]
        lines += [f"    {layer}: {figures}" for layer, figures in shown]
        if len(finding.layers) > MOST_LAYERS:
            lines.append(f"    … and {len(finding.layers) - MOST_LAYERS} more layers")
        settings = [_filled(setting, record) for setting in finding.settings]
        lines += [f"    try: {_command(record, setting)}" for setting in settings if setting]
    return lines


def _filled(setting: str, record: RunRecord) -> str:
    """A setting with its number of images: four times as many, as far as there are; else empty."""
    if setting != MORE_IMAGES:
        return setting
    used = record.protocol.get("calibration", {}).get("images", 0)
    there = record.protocol.get("data", {}).get("train_images", 0)
    images = min(4 * used, there)
    return setting.format(images=images) if images > used else ""


def _command(record: RunRecord, setting: str) -> str:
    """The run again with another setting; options of the observer it replaces are left out."""
    group, _, slot = setting.partition("=")[0].partition("@")
    options = f"{slot}.observer_options" if group == "observer" else None
    words = {word: key_of(word) for word in record.overrides}
    if options is None or not any(key.startswith(options) for key in words.values()):
        return f"qat run --from {record.id} {setting}"
    kept = [
        shlex.quote(word)
        for word, key in words.items()
        if not key.startswith(options) and key != f"observer@{slot}"
    ]
    return " ".join(["qat run", *kept, setting])


def float_lines(record: RunRecord) -> list[str]:
    """The operations that stay float."""
    names = [name for name, _ in (record.plan or {}).get("left_float", ())]
    if not names:
        return []
    return [f"• {len(names)} operations stay float: {', '.join(names)}"]
