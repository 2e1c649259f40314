"""What a function raises if a run fails can be caught as an error of the project."""

from qat.base.complaints import is_expected
from qat.notebook.errors import RunFailedError, RunWarning


def test_a_failed_run_is_an_error_of_the_project_and_a_warning_is_a_users():
    assert is_expected(RunFailedError("run 0a failed"))
    assert issubclass(RunFailedError, RuntimeError)
    assert issubclass(RunWarning, UserWarning)
