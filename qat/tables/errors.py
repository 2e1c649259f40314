"""The one error of this room."""


class TableError(ValueError):
    """A table that cannot be made as asked: an unknown column or format, or unlike rows."""
