"""What can go wrong while training."""

from qat.base.errors import InputError


class TrainingError(InputError):
    """Training cannot go on, or its result is of no use; the message says where and the cure."""


class TrainingInterrupted(InterruptedError):  # noqa: N818  (as Python names its own)
    """The process was told to end (SIGTERM); the same command goes on from the last epoch.

    An ordinary exception, so that no caller takes it for success.
    """


class CheckpointError(TrainingError):
    """A checkpoint cannot be read, or is of another network."""


class DamagedCheckpointWarning(UserWarning):
    """A checkpoint cannot be read and an earlier one, or none, takes its place."""
