"""Run a command in a terminal of 80 columns; its exit code is the command's.

CI has no terminal, and what only happens in one would go unseen. Only the standard library is
used: `script` is not everywhere.
"""

import fcntl
import os
import pty
import struct
import sys
import termios

ROWS, COLUMNS = 24, 80


def main(words: list[str]) -> int:
    """Copy what the command shows to standard output, and wait for its end."""
    process, terminal = pty.fork()
    if process == 0:
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        os.execvp(words[0], words)
    while shown := _read(terminal):
        os.write(1, shown)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO when the command has closed its side
        return b""


if __name__ == "__main__":
    sys.exit(abs(main(sys.argv[1:])))
