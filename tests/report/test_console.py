"""The console: width, colours, control characters, and nested progress bars."""

import io

from qat.base.progress import Bar
from qat.report import console as module
from qat.report.console import PLAIN_WIDTH, console


def test_a_pipe_is_wide_and_columns_sets_another_width(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == PLAIN_WIDTH
    monkeypatch.setenv("COLUMNS", "50")
    assert console().width == 50


def test_markup_and_control_characters_have_no_effect(capsys):
    console().print("[red]a[/] \x1b[31mb :warning:", soft_wrap=True)
    out = capsys.readouterr().out
    assert out.startswith("[red]a[/] ")
    assert out.rstrip().endswith("b :warning:")
    assert "\x1b" not in out


def test_the_innermost_bar_is_visible_and_the_outer_one_comes_back(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    line = module._ProgressLine()
    outer: Bar = line.push("sweep", 2, 0)
    inner: Bar = line.push("training", 10, 4)
    inner.advance("loss 0.5")
    tasks = {task.description: task for task in line.progress.tasks}
    assert {name: task.visible for name, task in tasks.items()} == {
        "sweep": False,
        "training": True,
    }
    assert (tasks["training"].completed, tasks["training"].fields["note"]) == (5, "loss 0.5")
    line.pop(inner)
    assert [(task.description, task.visible) for task in line.progress.tasks] == [("sweep", True)]
    line.pop(outer)
    assert line.progress is None
