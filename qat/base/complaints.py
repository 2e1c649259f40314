"""Turn errors into one readable line, and decide which of them are the user's own mistakes."""

import errno
import os
import re
import traceback
from pathlib import Path

from qat.base.errors import CheckDefectError, QatError
from qat.base.printing import complain_line

DEBUG_HINT = "; QAT_DEBUG=1 shows the traceback"
_ENDS_IN_A_PLACE = re.compile(r"\([^()\s]+\.py:\d+\)$")


def debug() -> bool:
    """True if the user wants tracebacks (``QAT_DEBUG=1``)."""
    return os.environ.get("QAT_DEBUG", "") not in ("", "0")


def is_expected(error: BaseException) -> bool:
    """True if the message alone is enough for the user to fix the cause.

    These are the project's own error classes, and memory or disk space that ran out. Every other
    error is a defect, and is shown with its type and the line of code that raised it.

    Example:
        >>> from qat.base.errors import InputError
        >>> is_expected(InputError("bits must be 2..16, got 1")), is_expected(KeyError("bits"))
        (True, False)
    """
    is_ours = isinstance(error, QatError) and not isinstance(error, CheckDefectError)
    return is_ours or _machine_is_full(error)


def one_line(error: BaseException) -> str:
    """The message of an error in one line; for a defect also its type and place in the code."""
    text = " ".join(str(error).split())
    if _out_of_memory(error):  # torch's own message is many lines long
        return "not enough memory: use fewer images or smaller batches"
    if _disk_full(error) and "free space" not in text:
        return f"{text}: free space or choose another folder (paths.runs, paths.cache)"
    if text and (isinstance(error, QatError) or _machine_is_full(error)):
        return text
    kind = type(error).__name__
    return (f"{kind}: {text}" if text else kind) + _place(error)


def complain(error: BaseException, where: str = "") -> None:
    """Print ``qat: <one line>`` to stderr, and the traceback if ``QAT_DEBUG=1``.

    Args:
        error: The error to print.
        where: Text before the message, such as the run that failed.
    """
    if debug():
        traceback.print_exception(error)
    hint = "" if is_expected(error) or debug() else DEBUG_HINT
    complain_line(f"{where}{one_line(error)}{hint}")


def hint_for(stored: str) -> str:
    """The hint to use QAT_DEBUG, if a stored error line is that of a defect; else empty.

    Lines of defects end in a place in the code, such as ``(qat/core/grid.py:12)``.
    """
    return DEBUG_HINT if _ENDS_IN_A_PLACE.search(stored) and not debug() else ""


def _place(error: BaseException) -> str:
    """`` (file.py:line)`` of the code that raised an error; empty if it was never raised."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    in_projects = [frame for frame in frames if _is_of_a_project(frame.filename)]
    frame = (in_projects or frames)[-1]
    return f" ({'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno})"


def _is_of_a_project(file: str) -> bool:
    """True for files of this project and of the user; False for files of libraries."""
    if f"{os.sep}qat{os.sep}" in file:
        return True
    libraries = ("site-packages", "dist-packages", "<frozen", str(Path(os.__file__).parent))
    return not any(part in file for part in libraries)


def _machine_is_full(error: BaseException) -> bool:
    return _out_of_memory(error) or _disk_full(error)


def _out_of_memory(error: BaseException) -> bool:
    text = str(error)
    return (
        isinstance(error, MemoryError) or "can't allocate memory" in text or "out of memory" in text
    )


def _disk_full(error: BaseException) -> bool:
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    return full or "No space left" in str(error)
