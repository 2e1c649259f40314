"""The error that every function of this package raises for a wrong request."""

from qat.base.errors import InputError


class TableError(InputError):
    """A table cannot be built: unknown column or format, a bad file, or rows that differ."""
