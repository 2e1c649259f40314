"""What exporters refuse."""


class ExportError(ValueError):
    """A network that cannot be written in the format asked for; the message says why."""
