"""The error that every module of this package raises."""

from qat.base.errors import InputError


class DataError(InputError):
    """Data that cannot be used; the message gives the value, what is allowed and the cure."""
