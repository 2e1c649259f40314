"""Output of C libraries, kept off the screen."""

import os

import pytest

from qat.base.c_output import silent_c_output, without_c_warning


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


def test_lines_with_the_words_are_dropped_and_the_others_are_kept(capfd):
    with without_c_warning("unused parameters"):
        os.write(2, b"[W] did not find any unused parameters here\nan error\n")
    os.write(2, b"unused parameters, afterwards\n")
    err = capfd.readouterr().err
    assert err == "an error\nunused parameters, afterwards\n"


def test_an_error_inside_loses_no_line(capfd):
    def fail():
        with without_c_warning("unused"):
            os.write(2, b"why\n")
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    assert capfd.readouterr().err == "why\n"
