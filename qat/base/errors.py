"""Errors that a user can fix: a wrong value, an unknown name, an operation that is not supported.

Every other error is a defect of this project, of a library, or of the user's own code. It is
reported with its type and its place in the code.
"""


class QatError(Exception):
    """An error whose message names the value, the allowed values, and the remedy.

    Example:
        >>> from qat.core.scheme import TensorSpec
        >>> try:
        ...     TensorSpec(granularity="row")
        ... except QatError as error:
        ...     print(error)
        granularity must be one of tensor, channel, group, got 'row'
    """


class InputError(QatError, ValueError):
    """A value is not allowed.

    Example:
        >>> raise InputError("bits must be 2..16, got 1")
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: bits must be 2..16, got 1
    """


class UnknownNameError(QatError, KeyError):
    """A name does not exist.

    Unlike a plain ``KeyError``, its ``str`` is the message without quotation marks.

    Example:
        >>> str(UnknownNameError("no layer 'fc2'; there are fc"))
        "no layer 'fc2'; there are fc"
    """

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class FileUnavailableError(QatError, OSError):
    """A file or folder is missing, or cannot be read or written."""


class RequestError(InputError):
    """The request was wrong and nothing was started."""


class CheckDefectError(RequestError):
    """The check of a request failed because of a defect; nothing was started.

    The message names the type and the place of the cause.
    """
