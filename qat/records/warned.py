"""What a run warns of: numbers that stand, and that a reader should not take as they are."""

from qat.records.schema import RunRecord

WARNINGS = "warnings"
"""In a record's ``environment``, which takes what older readers do not know."""


def warnings_of(record: RunRecord) -> list[str]:
    """The lines that a run left; none of a record made before there were any."""
    lines = record.environment.get(WARNINGS, ())
    return [str(line) for line in lines] if isinstance(lines, list | tuple) else []


def with_warnings(record: RunRecord, lines: list[str]) -> RunRecord:
    """The record with these lines in place of its own."""
    kept = {key: value for key, value in record.environment.items() if key != WARNINGS}
    environment = {**kept, WARNINGS: list(lines)} if lines else kept
    return record.move_to(record.status, environment=environment)
