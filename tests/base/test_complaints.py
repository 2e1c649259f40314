"""Errors as one line on the screen: which are the user's, and what is shown of the others."""

import errno

import pytest

from qat.base.complaints import DEBUG_HINT, complain, hint_for, is_expected, one_line
from qat.base.errors import (
    CheckDefectError,
    FileUnavailableError,
    InputError,
    QatError,
    UnknownNameError,
)


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize("kind", [InputError, UnknownNameError, FileUnavailableError])
def test_an_error_of_ours_says_its_message_alone(kind):
    error = raised(kind("bits must be 2..16, got 1"))
    assert isinstance(error, QatError)
    assert one_line(error) == "bits must be 2..16, got 1"


@pytest.mark.parametrize(
    "error", [KeyError("note"), ValueError("x"), TypeError("x"), AttributeError("x"), OSError("x")]
)
def test_a_defect_says_its_type_and_its_place(error):
    line = one_line(raised(error))
    assert not is_expected(error)
    assert line.startswith(f"{type(error).__name__}: ")
    assert "test_complaints.py:" in line


def test_a_key_error_is_not_mistaken_for_a_word():
    assert one_line(KeyError("note")) == "KeyError: 'note'"


def test_a_full_disk_is_no_defect():
    error = OSError(errno.ENOSPC, "No space left on device")
    assert is_expected(error)
    assert "free space or choose another folder" in one_line(error)


def test_memory_that_ran_out_is_no_defect():
    assert one_line(MemoryError()).startswith("not enough memory")
    assert is_expected(RuntimeError("DefaultCPUAllocator: can't allocate memory"))


def test_a_defect_found_while_checking_keeps_the_hint():
    assert not is_expected(CheckDefectError("KeyError: 'note' (qat/run/checks.py:12)"))


@pytest.mark.parametrize(
    ("stored", "debug", "hint"),
    [
        ("KeyError: 'note' (qat/core/grid.py:12)", "", DEBUG_HINT),
        ("KeyError: 'note' (qat/core/grid.py:12)", "1", ""),
        ("bits must be 2..16, got 1", "", ""),
        ("no layer 'fc2' (allowed: fc)", "", ""),
    ],
)
def test_only_a_stored_defect_gets_the_hint(monkeypatch, stored, debug, hint):
    monkeypatch.setenv("QAT_DEBUG", debug)
    assert hint_for(stored) == hint


@pytest.mark.parametrize(("debug", "traceback"), [("0", False), ("1", True)])
def test_a_traceback_is_printed_only_if_wanted(monkeypatch, capsys, debug, traceback):
    monkeypatch.setenv("QAT_DEBUG", debug)
    complain(raised(InputError("bits must be 2..16, got 1")), where="run w1: ")
    printed = capsys.readouterr().err
    assert printed.endswith("qat: run w1: bits must be 2..16, got 1\n")
    assert ("Traceback" in printed) == traceback
