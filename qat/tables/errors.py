"""The one error of this room."""

from qat.base.errors import InputError


class TableError(InputError):
    """A table that cannot be made as asked: an unknown column or format, or unlike rows."""
