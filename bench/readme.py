"""The page of ``experiments/bench``, written from the reports beside it.

    python -m bench.readme [FOLDER]

One table for each benchmark: figure, n, median and quartiles; below it command, machine, load,
commit and date. At the end the training steps of other projects.
"""

import argparse
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bench._commands import PROJECT
from bench._compare import short
from bench._figures import Figure, figures, settings
from bench._words import without_paths
from bench.peers.published import PUBLISHED, SOURCE
from bench.suite import ENTRIES, Entry
from qat.base.plurals import counted

COMMITTED = PROJECT / "experiments" / "bench"
HEAD = """# Benchmarks

This page is written by `python -m bench.readme` from the JSON files beside it. `make bench` runs
all benchmarks, compares them with these and says what moved beyond its spread;
`python -m bench NAME --quick` tries one. What is compared with each other was measured in turns on
one machine; ratios are of the times of one round. *n* is the number of rounds, the quartiles are
those of the rounds. Times depend on the machine, ratios less so. The load is the mean number of
busy processes of the last minute, before and after the measurement (one number: after it), the
benchmark itself among them: above the number of cores, times are too long.
"""


def page(folder: Path) -> str:
    """The text of the page.

    Args:
        folder: With the reports.
    """
    parts = [HEAD]
    for name, entry in ENTRIES.items():
        report = _read(folder / f"{name}.json")
        if report is not None:
            parts.append("\n".join(section(name, entry, report)))
    parts.append("\n".join(peers(folder)))
    return "\n".join(parts).rstrip() + "\n"


def section(name: str, entry: Entry, report: Mapping[str, Any]) -> Iterator[str]:
    """Lines of one benchmark.

    Args:
        name: Of its report.
        entry: With its question.
        report: As it was written.
    """
    yield f"## {name}\n"
    yield f"{entry.question}\n"
    of = [f"{key} {_value(value)}" for key, value in settings(report["results"]).items()]
    if of:
        yield f"Of {', '.join(of)}.\n"
    yield from table(
        {
            key: figure
            for key, figure in figures(report["results"]).items()
            if any(fnmatchcase(key, pattern) for pattern in entry.shown)
        }
    )
    yield ""
    yield from machine_lines(report)


def table(rows: Mapping[str, Figure]) -> Iterator[str]:
    """A table of figures by name."""
    yield "| figure | n | median | quartiles |"
    yield "|---|---:|---:|---|"
    for name, figure in rows.items():
        yield f"| {name} | {figure.n or 1} | {short(figure.median)} | {quartiles(figure)} |"


def quartiles(figure: Figure) -> str:
    """``0.9 to 1.1``, or a dash of a single value."""
    if figure.q1 is None or figure.q3 is None:
        return "–"
    return f"{short(figure.q1)} to {short(figure.q3)}"


def machine_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Command, machine, load, commit and date of a report."""
    facts = report["machine"]
    command, *words = shlex.split(report["command"])
    yield f"`{without_paths(command, words)}`\n"
    yield (
        f"{facts['cpu']}, {counted(facts['cores'], 'core')}, "
        f"{counted(facts['threads'], 'thread')}, device "
        f"{facts['device']}, torch {facts['torch']}, load {_load(facts)}; commit "
        f"{(facts['commit'] or 'unknown')[:7]}{' with changes' if facts['dirty'] else ''}, "
        f"{facts['date'][:10]}.\n"
    )


def peers(folder: Path) -> Iterator[str]:
    """Lines on the training steps of other projects: as noted before, and measured again."""
    yield "## Other projects\n"
    yield (
        "A quantization-aware training step over the float step of the same process, ResNet-20, "
        f"batch 128, 32 pixels, plain PyTorch around them. {SOURCE} `python -m bench.peers` "
        "measures them again, each in an environment of its own.\n"
    )
    measured = list(_peer_reports(folder))
    yield "| implementation | noted before | measured again | n | quartiles | version |"
    yield "|---|---:|---:|---:|---|---|"
    for row in PUBLISHED:
        yield _peer_row(row.implementation, f"{row.ratio}", row.peer, row.variant, measured)
    own = _read(folder / "step.json")
    for key in ("ratio_qat_compiled", "ratio_qat_compiled_channels_last"):
        figure = figures(own["results"]).get(key) if own else None
        if figure is not None:
            kind = "channels_last, " if "channels_last" in key else ""
            cells = f"{short(figure.median)} | {figure.n} | {quartiles(figure)}"
            yield f"| this project: LSQ, {kind}compiled quantizers | – | {cells} | – |"
    for report in measured:
        yield ""
        yield from machine_lines(report)
        if "reason" in report["results"]:
            yield f"Not measured: {report['results']['reason']}\n"


def _peer_row(
    implementation: str,
    noted: str,
    peer: str | None,
    variant: str | None,
    reports: Sequence[Mapping[str, Any]],
) -> str:
    for report in reports:
        results = report["results"]
        figure = figures(results).get(f"ratio_{variant}")
        if results["peer"] == peer and figure is not None:
            cells = f"{short(figure.median)} | {figure.n} | {quartiles(figure)}"
            return f"| {implementation} | {noted} | {cells} | {results['version']} |"
    return f"| {implementation} | {noted} | – | – | – | – |"


def _peer_reports(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("peer_*.json")):
        report = _read(path)
        if report is not None:
            yield report


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _load(facts: Mapping[str, Any]) -> str:
    loads = [facts.get("load_before_1min"), facts.get("load_1min")]
    return " and ".join(f"{load:.1f}" for load in loads if load is not None) or "unknown"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)


def write(folder: Path) -> None:
    """Write the page beside the reports."""
    (folder / "README.md").write_text(page(folder), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Write the page."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    words.add_argument("folder", nargs="?", type=Path, default=COMMITTED)
    write(words.parse_args(arguments).folder)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
