"""The result of one stage of a run: one form for all stages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class StageResult:
    """Metrics, files and warnings of a stage, or of all stages so far.

    Attributes:
        metrics: Name → value.
        not_measured: Name of an absent metric → reason.
        files: Name of the artifact → file in the run's folder.
        warnings: Lines for a reader.
        seconds: Stage → seconds, if the stage reports other seconds than were just measured.
        protocol: Part of the protocol → fields.
        gate: ``passed``, ``failed``, or None if the stage compared nothing.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    not_measured: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    protocol: dict[str, dict[str, Any]] = field(default_factory=dict)
    gate: str | None = None

    def merge(self, other: "StageResult") -> None:
        """Add the result of another stage; its values replace those of the same name."""
        self.metrics |= other.metrics
        self.not_measured |= other.not_measured
        self.files |= other.files
        self.warnings += other.warnings
        self.seconds |= other.seconds
        self.protocol = merge_parts(self.protocol, other.protocol)
        self.gate = other.gate or self.gate


def merge_parts(
    parts: Mapping[str, Mapping[str, Any]], others: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Merge two protocols part by part, and within a part field by field.

    Args:
        parts: Part → fields.
        others: Part → fields; they replace fields of the same name in ``parts``.

    Example:
        >>> merge_parts({"data": {"name": "a", "crop": 8}}, {"data": {"crop": 9}, "float": {}})
        {'data': {'name': 'a', 'crop': 9}, 'float': {}}
    """
    names = [*parts, *(name for name in others if name not in parts)]
    return {name: {**parts.get(name, {}), **others.get(name, {})} for name in names}
