"""What a function of this room raises or warns of when a run does not go well."""

from qat.base.errors import QatError


class RunFailedError(QatError, RuntimeError):
    """A run has failed, or was not started; a record of a failed run has the reason.

    ``__cause__`` is the error itself, with its traceback.

    Example:
        >>> raise RunFailedError("run 0a1b2c3d4e5f failed: the loss is not finite")
        Traceback (most recent call last):
        ...
        qat.notebook.errors.RunFailedError: run 0a1b2c3d4e5f failed: the loss is not finite
    """


class RunWarning(UserWarning):
    """A line that a command prints on stderr, such as a run of a sweep that failed."""
