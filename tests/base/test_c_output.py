"""Output of C libraries, kept off the screen."""

import os

import pytest

from qat.base.c_output import silent_c_output


def test_what_is_written_below_python_is_not_seen(capfd):
    print("before")
    with silent_c_output():
        os.write(1, b"HighsMipSolverData::transformNewIntegerFeasibleSolution\n")
    print("after")
    assert capfd.readouterr().out == "before\nafter\n"


def test_the_screen_is_back_after_an_error(capfd):
    def fail():
        with silent_c_output():
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    os.write(1, b"seen\n")
    assert capfd.readouterr().out == "seen\n"
