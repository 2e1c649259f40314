"""Which exceptions of a training a caller can catch as what."""

import pytest

from qat.base.errors import InputError
from qat.training import errors


@pytest.mark.parametrize("kind", [errors.TrainingError, errors.CheckpointError])
def test_a_failed_training_is_one_line_for_the_user(kind):
    with pytest.raises(InputError, match=r"^lower the rate$"):
        raise kind("lower the rate")


def test_an_interruption_is_no_failure_of_the_training():
    with pytest.raises(InterruptedError):
        raise errors.TrainingInterrupted("SIGTERM")
    assert not issubclass(errors.TrainingInterrupted, errors.TrainingError)
