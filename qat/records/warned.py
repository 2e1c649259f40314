"""Warnings of a run: lines about numbers that a reader should not trust without a look."""

from qat.records.schema import RunRecord

WARNINGS = "warnings"
"""Key in a record's ``environment``: older readers accept unknown keys there."""


def warnings_of(record: RunRecord) -> list[str]:
    """The warnings of a run; none in a record from before runs had warnings."""
    lines = record.environment.get(WARNINGS, ())
    return [str(line) for line in lines] if isinstance(lines, list | tuple) else []


def with_warnings(record: RunRecord, lines: list[str]) -> RunRecord:
    """The record with these warnings in place of its own.

    Args:
        record: Any; it is not changed.
        lines: One warning each; none removes the key.
    """
    kept = {key: value for key, value in record.environment.items() if key != WARNINGS}
    environment = {**kept, WARNINGS: list(lines)} if lines else kept
    return record.move_to(record.status, environment=environment)
