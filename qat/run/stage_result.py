"""What a stage of a run has come to, in one form for all stages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class StageResult:
    """Figures, files and remarks of a stage, or of all stages so far.

    Attributes:
        metrics: Name → value.
        not_measured: Name of a metric that is absent → why.
        files: Artifact → file in the run's folder.
        warnings: Lines for a reader.
        seconds: Stage → seconds, where they are not those that the stage took just now.
        protocol: Part of the protocol → fields.
        gate: ``passed``, ``failed``, or None where nothing was compared.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    not_measured: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    protocol: dict[str, dict[str, Any]] = field(default_factory=dict)
    gate: str | None = None

    def merge(self, other: "StageResult") -> None:
        """Take what another stage has come to; of equal names its values."""
        self.metrics |= other.metrics
        self.not_measured |= other.not_measured
        self.files |= other.files
        self.warnings += other.warnings
        self.seconds |= other.seconds
        self.protocol = merged_parts(self.protocol, other.protocol)
        self.gate = other.gate or self.gate


def merged_parts(
    parts: Mapping[str, Mapping[str, Any]], others: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """A protocol with the fields of another over its own, part by part."""
    names = [*parts, *(name for name in others if name not in parts)]
    return {name: {**parts.get(name, {}), **others.get(name, {})} for name in names}
