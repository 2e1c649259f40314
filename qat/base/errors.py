"""Errors that a user can mend: a wrong value, an unknown name, an operation not supported.

Whatever is not a :class:`QatError` is a defect: of this project, of a library, or of code that the
user brought. It is reported with its type and the place where it happened.
"""


class QatError(Exception):
    """An error whose message names the value, what is allowed, and the cure."""


class InputError(QatError, ValueError):
    """A value is outside of what is allowed.

    Example:
        >>> raise InputError("bits must be 2..16, got 1")
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: bits must be 2..16, got 1
    """


class UnknownNameError(QatError, KeyError):
    """A name is not one of those that exist.

    Unlike a plain ``KeyError``, ``str`` of it is the message itself, without quotation marks.

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
    """Checking a request failed for another reason than the request; nothing was started.

    Its message names the type and the place of the cause.
    """
