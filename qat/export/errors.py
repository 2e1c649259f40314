"""The error of the exporters."""

from qat.base.errors import InputError


class ExportError(InputError):
    """A network cannot be written in the requested format; the message gives the reason."""
