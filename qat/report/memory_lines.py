"""The content of a run's ``memory.json``, as lines and tables."""

from dataclasses import fields

from qat.base.plurals import counted
from qat.base.text import markdown_text
from qat.records.side_files.memory import (
    FLOAT,
    NAIVE,
    ORDINARY,
    MemoryFile,
    MemoryTable,
    MemoryTotals,
    PlannedMemory,
    PrefetchMemory,
)

_KIB = 1024


def memory_lines(memory: MemoryFile) -> list[str]:
    """One line for the arena, one for the layers, one for each execution inside the arena."""
    planned = memory.planned
    if planned is None:
        return [f"memory is not planned: {memory.unplanned}"]
    lines = [_arena_line(memory, planned), _layers_line(planned)]
    for name, network in planned.networks.items():
        if (execution := network.execution) is not None:
            lines.append(
                f"{name} run inside its arena of {_size(execution.arena_bytes)}: outputs equal "
                f"bit for bit, workspace {_size(execution.workspace_bytes)}, allocated outside "
                f"the arena {_size(execution.allocated_bytes)} (in ordinary execution "
                f"{_size(execution.ordinary_allocated_bytes)})"
            )
    return lines if planned.prefetch is None else [*lines, _prefetch_line(planned.prefetch)]


def memory_markdown(memory: MemoryFile) -> str:
    """Tables with the bytes of every strategy and every layer; empty if there is no plan."""
    planned = memory.planned
    if planned is None:
        return ""
    text = "\n\n| network | strategy | arena | lower bound | saving |\n|---|---|---:|---:|---:|\n"
    for name, network in planned.networks.items():
        for strategy, row in network.strategies.items():
            text += (
                f"| {markdown_text(name)} | {markdown_text(strategy)} | {_size(row.bytes)} | "
                f"{_size(row.lower_bound_bytes)} | {row.saving_percent:.1f} % |\n"
            )
    text += _layer_table("inference, float", planned.inference_float)
    if planned.inference is not None:
        text += _layer_table("inference", planned.inference)
    return text + _layer_table("training", planned.training)


def _layer_table(title: str, table: MemoryTable) -> str:
    parts = [part.name for part in fields(MemoryTotals)]
    text = f"\n| {title} | {' | '.join(parts)} |\n|---|{'---:|' * len(parts)}\n"
    rows = [(row.name, row) for row in table.rows]
    for name, row in (*rows, ("total", table.totals)):
        cells = " | ".join(_size(getattr(row, part)) for part in parts)
        text += f"| {markdown_text(name)} | {cells} |\n"
    return text


def _arena_line(memory: MemoryFile, planned: PlannedMemory) -> str:
    parts = []
    for name, words in (("float", "in float"), ("network", "at the plan's widths")):
        if name in planned.networks:
            arena = planned.networks[name].arena
            parts.append(
                f"{_size(arena.bytes)} {words} (at least {_size(arena.lower_bound_bytes)})"
            )
    naive = planned.networks[FLOAT].strategies[NAIVE].bytes
    return (
        f"peak activations, batch {memory.batch}, {memory.strategy}: {', '.join(parts)}; "
        f"in float, with one buffer for each activation: {_size(naive)}"
    )


def _layers_line(planned: PlannedMemory) -> str:
    before = _size(planned.inference_float.total)
    text = f"parameters and all activations, without reuse: float {before}"
    if (after := planned.inference) is not None:
        text += f", quantized {_size(after.total)} ({after.saving_percent:.1f} % less)"
    return text + f", training with {planned.optimizer} {_size(planned.training.total)}"


def _prefetch_line(prefetch: PrefetchMemory) -> str:
    times = ", ".join(
        f"{name} {t.median_ms:.2f} ms ({t.lower_ms:.2f} to {t.upper_ms:.2f})"
        for name, t in prefetch.latency.items()
    )
    return (
        f"weights {_size(prefetch.packed_weight_bytes)} packed, at most "
        f"{counted(prefetch.most_unpacked, 'layer')} and {_size(prefetch.peak_unpacked_bytes)} "
        f"unpacked at once (all weights in float: {_size(prefetch.float_weight_bytes)}); {times}, "
        f"n = {prefetch.latency[ORDINARY].repeats}"
    )


def _size(count: float) -> str:
    return f"{count / _KIB:.1f} KiB"
