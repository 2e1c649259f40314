"""What a run record is: its fields, what may stand in them, and how older ones are read.

The record is the one thing tables read, so that it holds everything a row needs: the plan, the
protocol that makes rows comparable, where it was made, and the metrics.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from qat.base.errors import InputError
from qat.records.metrics import check_metrics
from qat.records.shapes import check_shapes

SCHEMA_VERSION = 1
NUMERICS_VERSION = 3
"""Part of every run id: raise it with each change that moves a published number."""

STATUSES = ("running", "done", "failed", "interrupted")
MODES = ("float", "dynamic", "static", "qat", "mixed")
GATES = (None, "passed", "failed")
PROTOCOL_PARTS = ("data", "float", "calibration", "allocation", "training", "evaluation")
_MAPPINGS = ("protocol", "environment", "artifacts", "seconds", "unmeasured", "metrics")
# A done run may be measured again later (latency, parity); nothing else leaves "done".
TRANSITIONS = {
    "running": {"running", "done", "failed", "interrupted"},
    "interrupted": {"running", "interrupted", "failed"},
    "failed": {"running", "failed"},
    "done": {"done"},
}


class RecordError(InputError):
    """A record that is damaged, foreign, newer than this program, or wrongly filled."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file the run left: path relative to the run folder, size, and digest of its content."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, weakref_slot=True)
class RunRecord:
    """One run, told as data.

    Attributes:
        id: Twelve hex digits of the content (see :func:`run_id`); the run folder's name.
        status: ``running``, ``done`` or ``failed``. A reader shows ``interrupted`` for a running
            record whose lock nobody holds; it is never stored.
        mode: ``float``, ``dynamic``, ``static``, ``qat`` or ``mixed``.
        seed: Seed of calibration and quantized training.
        error: First line of what went wrong, if ``failed``.
        gate: ``passed``, ``failed``, or None where the run had no gate.
        study: The study it was started for, if any.
        overrides: The command line's overrides, in order.
        protocol: Parts ``data``, ``float``, ``calibration``, ``allocation``, ``training``,
            ``evaluation``: what makes rows comparable. A part the mode does not have is absent.
        plan: ``Plan.to_dict()``, or None before there is one (and for ``float``).
        environment: Versions, cores, instructions, threads, commit.
        artifacts: Name → file.
        seconds: Stage → wall-clock seconds.
        unmeasured: Metric → why it is absent.
        metrics: Flat finite numbers, units in their names; accuracies are fractions.
        schema_version: Of this layout.

    Raises:
        RecordError: If a value is not one of these, naming field and value.
    """

    id: str
    status: str
    mode: str
    seed: int
    error: str | None = None
    gate: str | None = None
    study: str | None = None
    overrides: tuple[str, ...] = ()
    protocol: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    plan: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        """Check every field that has rules."""
        _one_of("status", self.status, STATUSES)
        _one_of("mode", self.mode, MODES)
        _one_of("gate", self.gate, GATES)
        for name in _MAPPINGS:
            if not isinstance(getattr(self, name), Mapping):
                raise RecordError(f"{name} must be a mapping, got {getattr(self, name)!r}")
        for part in self.protocol:
            _one_of("protocol part", part, PROTOCOL_PARTS)
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise RecordError(f"seed must be an int, got {self.seed!r}")
        if (self.status == "failed") != (self.error is not None):
            raise RecordError(
                f"an error goes with status failed and only with it, got status={self.status} "
                f"error={self.error!r}"
            )
        try:
            check_metrics(self.metrics)
        except ValueError as error:
            raise RecordError(str(error)) from error
        both = sorted(self.metrics.keys() & self.unmeasured.keys())
        if both:
            raise RecordError(f"{', '.join(both)}: both in metrics and in unmeasured; keep one")

    def move_to(self, status: str, **changes: Any) -> "RunRecord":
        """A copy in the next status, with other fields changed at will.

        Raises:
            RecordError: If a record in this status cannot go there.
        """
        allowed = TRANSITIONS[self.status]
        if status not in allowed:
            raise RecordError(
                f"run {self.id} is {self.status} and cannot become {status}; "
                f"it can become {', '.join(sorted(allowed))}"
            )
        if status != "failed":
            changes.setdefault("error", None)
        return replace(self, status=status, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists, ready for JSON."""
        data = {f.name: getattr(self, f.name) for f in fields(self)}
        data["overrides"] = list(self.overrides)
        data["artifacts"] = {
            name: {"path": a.path, "bytes": a.bytes, "sha256": a.sha256}
            for name, a in self.artifacts.items()
        }
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "RunRecord":
        """The inverse of :meth:`to_dict`, for this schema or an older one.

        Raises:
            RecordError: If a field is missing, unknown or wrong, or the schema is newer.
        """
        known = migrate(data)
        try:
            check_shapes(known)
        except InputError as error:
            raise RecordError(f"not a run record: {error}") from error
        try:
            artifacts = {name: Artifact(**a) for name, a in known.get("artifacts", {}).items()}
            overrides = tuple(known.get("overrides", ()))
            return cls(**{**known, "artifacts": artifacts, "overrides": overrides})
        except (TypeError, AttributeError) as error:
            raise RecordError(f"not a run record: {error}") from error


MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Schema version → what turns its data into the next version's."""


def migrate(
    data: Mapping[str, Any],
    to: int = SCHEMA_VERSION,
    steps: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = MIGRATIONS,
) -> dict[str, Any]:
    """Bring a record's data up to schema ``to``, one version at a time.

    Raises:
        RecordError: If there is no version, it is newer than ``to``, or no step leads on.
    """
    version = data.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int):
        raise RecordError(f"not a run record: schema_version is {version!r}")
    if version > to:
        raise RecordError(f"schema {version} is newer than this program's {to}: update qatlab")
    migrated = dict(data)
    while version < to:
        if version not in steps:
            raise RecordError(f"schema {version} cannot be read any more; oldest: {min(steps)}")
        migrated = steps[version](migrated)
        version += 1
        migrated["schema_version"] = version
    return migrated


# One encoder for all: json.dumps would make a new one for each of many thousand leaves.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text.

    Raises:
        ValueError: If something in it is not plain data, or is NaN or infinite.
    """
    try:
        return _CANONICAL.encode(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"only plain finite data can be digested: {error}") from error


def run_id(
    settings: Mapping[str, Any],
    data_digest: str | None,
    checkpoint_digest: str | None,
    numerics_version: int = NUMERICS_VERSION,
) -> str:
    """Twelve hex digits of the SHA-256 of what determines a run's numbers.

    Args:
        settings: The settings that affect numbers, and only those.
        data_digest: Digest of the data set's content.
        checkpoint_digest: Digest of a float checkpoint given as a file; None if it is trained.
        numerics_version: See :data:`NUMERICS_VERSION`.

    Raises:
        ValueError: If the settings are not plain finite data.

    Example:
        >>> run_id({"seed": 0}, "d", None) == run_id({"seed": 0}, "d", None)
        True
        >>> len(run_id({"seed": 1}, "d", None))
        12
    """
    content = {
        "settings": settings,
        "data": data_digest,
        "checkpoint": checkpoint_digest,
        "numerics_version": numerics_version,
    }
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:12]


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        words = ", ".join(str(a) for a in allowed)
        raise RecordError(f"{name} must be one of {words}, got {value!r}")
