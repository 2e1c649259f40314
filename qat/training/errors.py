"""Errors and warnings of a training."""

from qat.base.errors import InputError

STOPPED = (
    "training was stopped by SIGTERM; run the same command again to resume after the last epoch"
)


class TrainingError(InputError):
    """Training cannot continue or its result is useless; the message has place and cure."""


class TrainingInterrupted(InterruptedError):  # noqa: N818  (as Python names its own)
    """The process received SIGTERM; the same command resumes after the last finished epoch.

    It is an exception, so that no caller mistakes it for success.
    """


class CheckpointError(TrainingError):
    """A checkpoint cannot be read, or belongs to another network."""


class DamagedCheckpointWarning(UserWarning):
    """A checkpoint cannot be read; training resumes from an earlier one or from the start."""
