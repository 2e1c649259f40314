"""The one error of this room."""

from qat.base.errors import InputError


class DataError(InputError):
    """Data that cannot be used: what was found, what is allowed and the cure, in one line."""
