"""Whether anyone can still read what this process prints."""

import select
import sys
from typing import TextIO


def output_is_gone() -> bool:
    """True if stdout or stderr is a closed terminal, or a pipe without a reader.

    Each write to it fails. On a system without ``poll`` the answer is always False.
    """
    return any(_is_gone(stream) for stream in (sys.stdout, sys.stderr))


def _is_gone(stream: TextIO | None) -> bool:
    if stream is None or not hasattr(select, "poll"):
        return False
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # not a file, or closed by this process
        return False
    poll = select.poll()
    poll.register(number, 0)  # no event is named: errors and a hang-up are always reported
    return bool(poll.poll(0))
