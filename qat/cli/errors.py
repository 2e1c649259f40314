"""Turn errors into one readable line, and decide which of them are the user's own mistakes."""

import difflib
import errno
import os
import sys
import traceback
from collections.abc import Iterable

DONE, FAILED, REFUSED = 0, 1, 2
"""Exit codes: done; a run failed or missed its gate; the request was wrong, nothing started."""

# What rooms raise for wrong values, missing files and names. Anything else is a defect of ours.
EXPECTED = (ValueError, KeyError, OSError, ImportError, TypeError, MemoryError)


class RequestError(ValueError):
    """The request was wrong and nothing was started."""


def debug() -> bool:
    """True if the user wants tracebacks (``QAT_DEBUG=1``)."""
    return os.environ.get("QAT_DEBUG", "") not in ("", "0")


def one_line(error: BaseException) -> str:
    """The message of an error in one line, with its type where the message alone says little."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    full = isinstance(error, OSError) and (error.errno == errno.ENOSPC or "No space left" in text)
    if full and "free space" not in text:
        text = f"{text}: free space or choose another folder (paths.runs, paths.cache)"
    if "can't allocate memory" in text or "out of memory" in text:  # torch says it at length
        return "not enough memory: ask for fewer images or smaller batches"
    text = " ".join(text.split())
    if isinstance(error, EXPECTED) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def complain(error: BaseException, where: str = "") -> None:
    """Print ``qat: <one line>`` to stderr; the traceback too if asked for."""
    if debug():
        traceback.print_exception(error)
    hint = "" if isinstance(error, EXPECTED) or debug() else " (QAT_DEBUG=1 shows where)"
    print(f"qat: {where}{one_line(error)}{hint}", file=sys.stderr, flush=True)


def nearest(word: str, allowed: Iterable[str]) -> str:
    """``; did you mean 'x'?`` where something allowed is close, else nothing."""
    words = list(allowed)
    swapped = [other for other in words if sorted(other) == sorted(word)]
    close = swapped or difflib.get_close_matches(word, words, n=1, cutoff=0.55)
    return f"; did you mean {close[0]!r}?" if close else ""
