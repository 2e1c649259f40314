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
    """True if the message alone tells the user what to do: an error of the project's own classes.

    Memory and disk that run out are the machine's state and count as expected too. Everything
    else is a defect, and is shown with its type and the line of code that raised it.
    """
    wanted = isinstance(error, QatError) and not isinstance(error, CheckDefectError)
    return wanted or _machine_is_full(error)


def one_line(error: BaseException) -> str:
    """The message of an error in one line; of a defect, its type and the place as well."""
    text = " ".join(str(error).split())
    if _out_of_memory(error):  # torch's own message is many lines long
        return "not enough memory: ask for fewer images or smaller batches"
    if _disk_full(error) and "free space" not in text:
        return f"{text}: free space or choose another folder (paths.runs, paths.cache)"
    if text and (isinstance(error, QatError) or _machine_is_full(error)):
        return text
    kind = type(error).__name__
    return (f"{kind}: {text}" if text else kind) + _place(error)


def complain(error: BaseException, where: str = "") -> None:
    """Print ``qat: <one line>`` to stderr; the traceback too if asked for."""
    if debug():
        traceback.print_exception(error)
    hint = "" if is_expected(error) or debug() else DEBUG_HINT
    complain_line(f"{where}{one_line(error)}{hint}")


def hint_for(stored: str) -> str:
    """The hint at QAT_DEBUG behind a stored error that ends in a place, as those of defects do."""
    return DEBUG_HINT if _ENDS_IN_A_PLACE.search(stored) and not debug() else ""


def _place(error: BaseException) -> str:
    """`` (file.py:line)`` of the code that raised an error; nothing if it was never raised."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    ours = [frame for frame in frames if _is_of_a_project(frame.filename)]
    frame = (ours or frames)[-1]
    return f" ({'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno})"


def _is_of_a_project(file: str) -> bool:
    """True for files of this project and of the user's; false for those of libraries."""
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
