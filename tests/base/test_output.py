"""A closed terminal and a pipe without a reader are noticed; an open one is not."""

import os
import pty

import pytest

from qat.base.output import output_is_gone


@pytest.mark.parametrize("opened", [pty.openpty, os.pipe])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_the_other_end_is_closed(monkeypatch, opened, name):
    reading, writing = opened()
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(f"sys.{name}", stream)
        assert not output_is_gone()
        os.close(reading)
        assert output_is_gone()
        with pytest.raises(OSError, match=r"Broken pipe|Input/output error"):
            os.write(writing, b"line")
        monkeypatch.undo()


def test_no_stream_and_a_stream_without_a_file_are_not_gone(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)  # as under pythonw, and with output that is captured
    assert not output_is_gone()
