"""The run record: its fields, their allowed values, and how older records are read.

Tables read records only. So a record has everything that a row needs: the plan, the protocol that
makes rows comparable, where the run was made, and the metrics.
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
"""Part of every run id: raise it with each change that changes a published number."""

STATUSES = ("running", "done", "failed", "interrupted")
MODES = ("float", "dynamic", "static", "qat", "mixed")
GATES = (None, "passed", "failed")
PROTOCOL_PARTS = (*("data", "float", "calibration", "allocation", "ptq", "training", "evaluation"),)
_MAPPINGS = ("protocol", "environment", "artifacts", "seconds", "unmeasured", "metrics")
# A run that is done can be measured again (latency, parity); it stays "done".
TRANSITIONS = {
    "running": {"running", "done", "failed", "interrupted"},
    "interrupted": {"running", "interrupted", "failed"},
    "failed": {"running", "failed"},
    "done": {"done"},
}


class RecordError(InputError):
    """A record that is damaged, newer than this program, or has wrong values; or no record."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file of a run: path relative to the run folder, size, and digest of its content."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, weakref_slot=True)
class RunRecord:
    """One run as data.

    Attributes:
        id: Twelve hex digits of the content (see :func:`run_id`); the run folder's name.
        status: ``running``, ``done`` or ``failed``. A reader shows ``interrupted`` for a running
            record whose lock nobody holds; it is never stored.
        mode: ``float``, ``dynamic``, ``static``, ``qat`` or ``mixed``.
        seed: Seed of calibration and quantized training.
        error: First line of the error if ``failed``, else None.
        gate: ``passed``, ``failed``, or None if the run had no gate.
        study: The study that it was started for, or None.
        overrides: The command line's overrides, in order.
        protocol: Parts ``data``, ``float``, ``calibration``, ``allocation``, ``ptq``,
            ``training``, ``evaluation``: what makes rows comparable. Parts that the run does not
            have are absent.
        plan: ``Plan.to_dict()``, or None as long as there is none, and in mode ``float``.
        environment: Versions, cores, instructions, threads, commit; the folder of ``--config-dir``
            (``config_dir``), if there was one.
        artifacts: Name → file.
        seconds: Stage → wall-clock seconds.
        unmeasured: Metric → why it is absent.
        metrics: Flat finite numbers with units in their names; accuracies are fractions.
        schema_version: Of this layout.

    Raises:
        RecordError: If a value is not allowed; it names the field and the value.

    Example:
        >>> record = RunRecord("0a1b2c3d4e5f", "done", "static", 0, metrics={"top1": 0.9})
        >>> RunRecord.from_dict(record.to_dict()) == record
        True
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
        """Check every field whose values are limited."""
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
                f"an error and status failed must be set together, got status={self.status} "
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
        """A copy with the next status, and with changes of other fields.

        Args:
            status: One that :data:`TRANSITIONS` allows after the present one.
            changes: Field → new value.

        Raises:
            RecordError: If that status cannot follow the present one, or a value is not allowed.
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
        """Dicts and lists for JSON."""
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
"""Schema version → function from its data to the data of the next version."""


def migrate(
    data: Mapping[str, Any],
    to: int = SCHEMA_VERSION,
    steps: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = MIGRATIONS,
) -> dict[str, Any]:
    """Convert a record's data to a later schema, one version at a time.

    Args:
        data: As it is in the file.
        to: The version that is wanted.
        steps: Version → function from its data to the data of the next version.

    Raises:
        RecordError: If there is no version, it is newer than ``to``, or a step is missing.

    Example:
        >>> steps = {1: lambda data: data | {"seed": 0}}
        >>> migrate({"schema_version": 1}, to=2, steps=steps)
        {'schema_version': 2, 'seed': 0}
    """
    version = data.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int):
        raise RecordError(f"not a run record: schema_version is {version!r}")
    if version > to:
        raise RecordError(f"schema {version} is newer than this program's {to}: update qatlab")
    migrated = dict(data)
    while version < to:
        if version not in steps:
            oldest = min(steps, default=to)
            raise RecordError(f"schema {version} cannot be read any more; oldest: {oldest}")
        migrated = steps[version](migrated)
        version += 1
        migrated["schema_version"] = version
    return migrated


# One encoder for all values: json.dumps would make a new one for each of many thousand leaves.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text.

    Raises:
        InputError: If a value is not plain data, or is NaN or infinite.

    Example:
        >>> canonical_json({"b": 1, "a": [2.5, None]})
        '{"a":[2.5,null],"b":1}'
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
        settings: Exactly the settings that affect numbers.
        data_digest: Digest of the data set's content.
        checkpoint_digest: Digest of the file of a float checkpoint; None if the run trains it.
        numerics_version: See :data:`NUMERICS_VERSION`.

    Raises:
        InputError: If the settings are not plain finite data.

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
