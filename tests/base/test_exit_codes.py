"""Exit codes are a contract with shell scripts."""

from qat.base import exit_codes


def test_the_numbers_are_those_of_the_documentation():
    assert (exit_codes.DONE, exit_codes.FAILED, exit_codes.REFUSED) == (0, 1, 2)
