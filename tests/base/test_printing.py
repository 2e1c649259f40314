"""Printed lines: what comes from data cannot move the cursor or add a line."""

import subprocess
import sys

from qat.base.printing import complain_line, complaints_kept, print_line, print_lines

TEXT = "a\x1b[31mb\nc"


def test_one_line_stays_one_line_and_several_stay_several(capsys):
    print_line(TEXT)
    print_lines(TEXT)
    assert capsys.readouterr().out == "a\\x1b[31mb\\nc\n" + "a\\x1b[31mb\nc\n"


def test_complaints_go_to_stderr_and_only_a_terminal_gets_them_broken(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    complain_line("one two three four five")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    complain_line("one two three four five")
    printed = capsys.readouterr()
    assert printed.out == ""
    whole, *broken = printed.err.splitlines()
    assert whole == "qat: one two three four five"
    assert broken == ["qat: one two three", "     four five"]


def test_complaints_are_kept_inside_a_block_alone(capsys):
    with complaints_kept() as outer:
        complain_line("a\nb")
        with complaints_kept() as inner:
            complain_line("c")
        complain_line("d")
    complain_line("e")
    assert (outer, inner) == (["a\\nb", "d"], ["c"])
    assert capsys.readouterr().err == "qat: e\n"


SWAPPING = """
import sys, threading, time
from qat.base.printing import print_line, print_wrapped

class Out:
    def write(self, text): return len(text)
    def flush(self): pass
    def isatty(self): return False

real, end = sys.stdout, time.monotonic() + 0.5

def printing():
    while time.monotonic() < end:
        print_line("x")
        print_wrapped("x", hang=2)

sys.setswitchinterval(1e-6)
sys.stdout = Out()
thread = threading.Thread(target=printing)
thread.start()
while time.monotonic() < end:
    sys.stdout = Out()
thread.join()
real.write("whole")
"""


def test_a_thread_may_print_while_stdout_is_replaced():
    """As progress bars do; with a plain ``print`` the process dies within a tenth of a second."""
    done = subprocess.run([sys.executable, "-c", SWAPPING], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "whole", "")
