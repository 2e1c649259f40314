"""The one error of this room."""


class DataError(ValueError):
    """Data that cannot be used: what was found, what is allowed and the cure, in one line."""
