"""What exporters refuse."""

from qat.base.errors import InputError


class ExportError(InputError):
    """A network that cannot be written in the format asked for; the message says why."""
