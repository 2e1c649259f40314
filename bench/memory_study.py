"""Tables and figures of the memory study, from ``bench.memory``'s JSON and from runs.

    python -m bench.memory_study memory.json RUN_DIR... [--into experiments/memory]

Runs are those with ``memory.execute=true memory.prefetch=true``. Writes ``table.md``,
``results.csv`` and ``figures/`` as PNG and SVG.
"""

import argparse
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qat.records.folder import RunFolder
from qat.records.run_facts import run_facts
from qat.records.side_files.memory import MemoryFile
from qat.tracking.figures.memory import arena_figure, layer_memory_figure
from qat.tracking.figures.memory_strategies import strategies_figure
from qat.tracking.figures.style import save_figures

ORDER = (
    *("naive", "widths", "reuse", "reuse+in_place", "reuse+schedule"),
    *("reuse+in_place+schedule", "reuse+in_place+schedule+widths"),
)
COLUMNS = ("network", "strategy", "arena_bytes", "lower_bound_bytes", "excess", "saving", "seconds")
KIB = 1024


def strategy_rows(networks: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each network and strategy."""
    for network, found in networks.items():
        for strategy in ORDER:
            yield {"network": network, "strategy": strategy, **found[strategy]}


def table(rows: Sequence[dict[str, Any]], widths: Sequence[str], key: str) -> Iterator[str]:
    """Markdown: a line a network, a column a strategy."""
    yield f"| network | {' | '.join(widths)} |"
    yield f"|---|{'---:|' * len(widths)}"
    for network in dict.fromkeys(row["network"] for row in rows):
        cells = {row["strategy"]: row[key] for row in rows if row["network"] == network}
        words = (
            f"{cells[w] / KIB:,.0f}" if key.endswith("bytes") else f"{100 * cells[w]:.2f}"
            for w in widths
        )
        yield f"| {network} | {' | '.join(words)} |"


def executed_lines(networks: dict[str, Any]) -> Iterator[str]:
    """Runs of the structures inside their arenas, in float."""
    yield "| network | equal | arena | workspace | allocated beside | ordinarily allocated |"
    yield "|---|---|---:|---:|---:|---:|"
    for network, found in networks.items():
        if "executed" in found:
            ran = found["executed"]
            keys = ("arena_bytes", "workspace_bytes", "allocated_peak_bytes")
            cells = [f"{ran[k] / KIB:,.0f}" for k in (*keys, "ordinary_allocated_peak_bytes")]
            yield f"| {network} | {'yes' if ran['equal'] else 'no'} | {' | '.join(cells)} |"


def run_lines(runs: Mapping[str, MemoryFile]) -> Iterator[str]:
    """Runs on codes: their arenas."""
    yield "| run | network | arena | workspace | allocated beside | ordinarily allocated |"
    yield "|---|---|---:|---:|---:|---:|"
    keys = ("arena_bytes", "workspace_bytes", "allocated_bytes", "ordinary_allocated_bytes")
    for run, memory in runs.items():
        for name, network in memory.planned.networks.items():
            sizes = [getattr(network.execution, key) / KIB for key in keys]
            yield f"| {run} | {name} | {' | '.join(f'{size:,.1f}' for size in sizes)} |"


def prefetch_lines(runs: Mapping[str, MemoryFile]) -> Iterator[str]:
    """Runs with packed weights."""
    yield "| run | weights | KiB | ms (quartiles) |"
    yield "|---|---|---:|---:|"
    for run, memory in runs.items():
        ran = memory.planned.prefetch
        held = {
            "ordinary": ran.float_weight_bytes,
            "interpreted": ran.float_weight_bytes,
            "prefetch": ran.peak_unpacked_bytes + ran.packed_weight_bytes,
            "unpacked_in_turn": ran.peak_unpacked_in_turn_bytes + ran.packed_weight_bytes,
        }
        for name, size in held.items():
            t = ran.latency[name]
            yield (
                f"| {run} | {name} | {size / KIB:,.1f} | {t.median_ms:.2f} "
                f"({t.lower_ms:.2f} to {t.upper_ms:.2f}), n = {t.repeats} |"
            )


def schedule_lines(schedules: dict[str, Any]) -> Iterator[str]:
    """What an order of the operations saves where there are branches."""
    yield "| graph | own order, KiB | best order, KiB | saved | proven best |"
    yield "|---|---:|---:|---:|---|"
    for name, found in schedules.items():
        own, best = found["own_order_bytes"] / KIB, found["best_bytes"] / KIB
        exact = "yes" if found["exact"] else "no"
        yield f"| {name} | {own:,.0f} | {best:,.0f} | {100 * found['saving']:.1f} % | {exact} |"


def memory_files(folders: Sequence[Path]) -> dict[str, MemoryFile]:
    """Name of a run → its ``memory.json``."""
    facts = {folder: run_facts(RunFolder(folder).read()) for folder in folders}
    return {
        f"{run.model} {run.run_name}": MemoryFile.read(folder / MemoryFile.NAME)
        for folder, run in facts.items()
    }


def write(results: dict[str, Any], runs: Mapping[str, MemoryFile], into: Path) -> None:
    """All files of the study."""
    networks = results["networks"]
    rows = list(strategy_rows(networks))
    parts = [
        ("Arena in KiB, one image", table(rows, ORDER, "arena_bytes")),
        ("Saved against naive, in %", table(rows, ORDER[1:], "saving")),
        ("Above the lower bound, in %", table(rows, ORDER[2:], "excess")),
        ("Orders of the operations", schedule_lines(results.get("schedules", {}))),
        ("Run inside the arena in float, KiB", executed_lines(networks)),
        ("Run inside the arena, tensors as codes, KiB", run_lines(runs)),
        ("Weights packed and unpacked ahead", prefetch_lines(runs)),
    ]
    into.mkdir(parents=True, exist_ok=True)
    text = "\n".join("\n".join((f"**{title}**", "", *lines, "")) for title, lines in parts)
    (into / "table.md").write_text(text, encoding="utf-8")
    with (into / "results.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    shares = {
        name: {s: 100 * (1 - found[s]["saving"]) for s in ORDER} for name, found in networks.items()
    }
    figures = {"strategies": strategies_figure(shares)}
    for run, memory in runs.items():
        name = run.replace(" ", "_")
        figures[f"{name}_arena"] = arena_figure(memory.planned.networks["network"], memory.batch)
        figures[f"{name}_layers"] = layer_memory_figure(memory.planned)
    save_figures(figures, into / "figures")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the study's files."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    words.add_argument("report", type=Path, help="bench.memory --out")
    words.add_argument("runs", nargs="*", type=Path, help="folders of runs")
    words.add_argument("--into", type=Path, default=Path("experiments/memory"))
    args = words.parse_args(arguments)
    report = json.loads(args.report.read_text(encoding="utf-8"))
    write(report["results"], memory_files(args.runs), args.into)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
