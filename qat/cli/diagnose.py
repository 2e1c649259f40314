"""``qat diagnose``: why a run's accuracy fell, layer by layer, and which setting to try."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from qat.analysis.diagnosis import MORE_IMAGES, Finding, LayerRows, findings, first_fall, layer_rows
from qat.analysis.rows import rows_of
from qat.cli.errors import DONE, RequestError
from qat.cli.progress import console
from qat.cli.studies import key_of
from qat.records.folder import RunFolder
from qat.records.layers import LAYERS_NAME, read_layers
from qat.records.schema import RunRecord
from qat.records.side_files import SideFileError, shaped
from qat.records.store import seen_record
from qat.records.warned import warnings_of

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


def diagnose_command(folder: Path) -> int:
    """Print the layers of a run, what stands out in them, and what to try.

    Raises:
        RequestError: If the folder holds no run, or the run has no layers to look at.
    """
    if RunFolder(folder).state() == "absent":
        raise RequestError(f"{folder} holds no run.json")
    record = seen_record(folder)
    layers = run_layers(folder, record)
    if not layers:
        raise RequestError(
            f"run {record.id} ({record.mode}, {record.status}) has no layers.json to diagnose: "
            "a finished run of mode static, dynamic, qat or mixed has one"
        )
    out = console()
    out.print(_headline(record), soft_wrap=True)
    out.print(_table(layers))
    out.print(LEGEND, style="dim", soft_wrap=True)
    found = findings(layers, trained=record.mode == "qat")
    warned = [f"• warned: {line}" for line in warnings_of(record)]
    for line in [
        *_fall_lines(layers),
        *warned,
        *_finding_lines(found, record),
        *_float_lines(record),
    ]:
        out.print(line, soft_wrap=True)
    return DONE


def run_layers(folder: Path, record: RunRecord) -> list[LayerRows]:
    """The layers of a run in the order of its plan.

    Raises:
        SideFileError: If ``layers.json`` is gone, damaged or another file.
    """
    with shaped(folder / LAYERS_NAME):
        rows = rows_of(read_layers(folder, record))
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
    where = _fall_lines(layers) or [finding.kind for finding in findings(layers)] or ["unknown"]
    return [
        f"top-1 fell by {100 * drop:.2f} points: {where[0]}",
        f"what to try: qat diagnose {record.id}",
    ]


def _headline(record: RunRecord) -> str:
    metrics = record.metrics
    if "top1" not in metrics or "float_top1" not in metrics:
        return f"run {record.id}: no accuracy was measured"
    before, after = 100 * metrics["float_top1"], 100 * metrics["top1"]
    return f"run {record.id}: top-1 {before:.2f} % in float, {after:.2f} % quantized"


def _table(layers: Sequence[LayerRows]) -> Table:
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


def _fall_lines(layers: Sequence[LayerRows]) -> list[str]:
    fall = first_fall(layers)
    if fall is None:
        return []
    layer, before = fall
    came_from = "" if before == float("inf") else f", after {before:.1f} dB"
    return [
        f"the first output to fall is that of {layer.name}: "
        f"{layer.output.sqnr_db:.1f} dB{came_from}"
    ]


def _finding_lines(found: Sequence[Finding], record: RunRecord) -> list[str]:
    lines = []
    for finding in found:
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


def _float_lines(record: RunRecord) -> list[str]:
    names = [name for name, _ in (record.plan or {}).get("left_float", ())]
    if not names:
        return []
    return [f"• {len(names)} operations stay float: {', '.join(names)}"]
