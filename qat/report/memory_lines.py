"""The content of a run's ``memory.json``, as lines and tables."""

from collections.abc import Mapping
from typing import Any

from qat.base.text import markdown_text

_KIB = 1024


def memory_lines(memory: Mapping[str, Any]) -> list[str]:
    """One line for the arena, one for the layers, one for each execution inside the arena."""
    if "unplanned" in memory:
        return [f"memory is not planned: {memory['unplanned']}"]
    lines = [_arena_line(memory), _layers_line(memory)]
    for name, network in memory["networks"].items():
        if (execution := network.get("execution")) is not None:
            lines.append(
                f"{name} run inside its arena of {_size(execution['arena_bytes'])}: outputs equal "
                f"bit for bit, workspace {_size(execution['workspace_bytes'])}, allocated outside "
                f"the arena {_size(execution['allocated_bytes'])} (in ordinary execution "
                f"{_size(execution['ordinary_allocated_bytes'])})"
            )
    return lines + ([_prefetch_line(memory["prefetch"])] if "prefetch" in memory else [])


def memory_markdown(memory: Mapping[str, Any]) -> str:
    """Tables with the bytes of every strategy and every layer; empty if there is no plan."""
    if "unplanned" in memory:
        return ""
    text = "\n\n| network | strategy | arena | lower bound | saving |\n|---|---|---:|---:|---:|\n"
    for name, network in memory["networks"].items():
        for strategy, row in network["strategies"].items():
            text += (
                f"| {markdown_text(name)} | {markdown_text(strategy)} | {_size(row['bytes'])} | "
                f"{_size(row['lower_bound_bytes'])} | {row['saving_percent']:.1f} % |\n"
            )
    for title in ("inference_float", "inference", "training"):
        if title in memory:
            text += _layer_table(title.replace("_", ", "), memory[title])
    return text


def _layer_table(title: str, estimate: Mapping[str, Any]) -> str:
    parts = list(estimate["totals"])
    text = f"\n| {title} | {' | '.join(parts)} |\n|---|{'---:|' * len(parts)}\n"
    for row in (*estimate["rows"], {"name": "total", **estimate["totals"]}):
        text += (
            f"| {markdown_text(row['name'])} | {' | '.join(_size(row[part]) for part in parts)} |\n"
        )
    return text


def _arena_line(memory: Mapping[str, Any]) -> str:
    parts = []
    for name, words in (("float", "in float"), ("network", "at the plan's widths")):
        if name in memory["networks"]:
            arena = memory["networks"][name]["arena"]
            parts.append(
                f"{_size(arena['bytes'])} {words} (at least {_size(arena['lower_bound_bytes'])})"
            )
    naive = memory["networks"]["float"]["strategies"]["naive"]["bytes"]
    return (
        f"peak activations, batch {memory['batch']}, {memory['strategy']}: {', '.join(parts)}; "
        f"in float, with one buffer for each activation: {_size(naive)}"
    )


def _layers_line(memory: Mapping[str, Any]) -> str:
    before = _size(memory["inference_float"]["total"])
    text = f"parameters and all activations, without reuse: float {before}"
    if (after := memory.get("inference")) is not None:
        text += f", quantized {_size(after['total'])} ({after['saving_percent']:.1f} % less)"
    return text + f", training with {memory['optimizer']} {_size(memory['training']['total'])}"


def _prefetch_line(prefetch: Mapping[str, Any]) -> str:
    times = ", ".join(
        f"{name} {t['median_ms']:.2f} ms ({t['lower_ms']:.2f} to {t['upper_ms']:.2f})"
        for name, t in prefetch["latency"].items()
    )
    return (
        f"weights {_size(prefetch['packed_weight_bytes'])} packed, at most "
        f"{prefetch['most_unpacked']} layers and {_size(prefetch['peak_unpacked_bytes'])} unpacked "
        f"at once (all weights in float: {_size(prefetch['float_weight_bytes'])}); {times}, "
        f"n = {prefetch['latency']['ordinary']['repeats']}"
    )


def _size(count: float) -> str:
    return f"{count / _KIB:.1f} KiB"
