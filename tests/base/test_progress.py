"""Progress: a loop reports its steps, whatever draws them."""

import pytest

from qat.base import progress
from qat.base.progress import (
    bar,
    be_silent,
    draw_on,
    is_silent,
    is_watched,
    progress_of,
    tracked,
)


class Recorder:
    """A screen that notes what it is to draw."""

    moves = True

    def __init__(self):
        self.log = []

    def push(self, description, total, completed):
        self.log.append(("push", description, total, completed))
        return self

    def advance(self, note=""):
        self.log.append(("advance", note))

    def pop(self, bar):
        self.log.append(("pop",))


@pytest.fixture
def recorder(monkeypatch):
    """The screen of this process, until the test ends."""
    for name in ("screen", "silent"):
        monkeypatch.setattr(progress._ProcessScreen, name, getattr(progress._ProcessScreen, name))
    recorder = Recorder()
    draw_on(recorder)
    return recorder


def test_items_come_in_order_with_one_step_for_each(recorder):
    assert list(tracked("sweep", "ab")) == ["a", "b"]
    assert recorder.log == [("push", "sweep", 2, 0), ("advance", ""), ("advance", ""), ("pop",)]


def test_a_generator_has_no_total(recorder):
    assert list(tracked("epochs", iter([]))) == []
    assert recorder.log == [("push", "epochs", None, 0), ("pop",)]


def test_a_bar_ends_after_an_error(recorder):
    with pytest.raises(KeyError, match="inside"), bar("fit", 9, 3) as shown:  # noqa: PT012
        shown.advance("loss 0.5")
        raise KeyError("inside")
    assert recorder.log == [("push", "fit", 9, 3), ("advance", "loss 0.5"), ("pop",)]


def test_a_silent_process_draws_nothing_more(recorder):
    assert is_watched()
    assert not is_silent()
    be_silent()
    assert list(tracked("sweep", "ab")) == ["a", "b"]
    assert recorder.log == []
    assert is_silent()
    assert not is_watched()


def test_a_block_has_a_screen_of_its_own_or_none(recorder):
    with progress_of(silent=True):
        assert is_silent()
        list(tracked("sweep", "ab"))
    assert recorder.log == []
    other = Recorder()
    with progress_of(silent=False):
        assert not is_silent()
        draw_on(other)
        list(tracked("sweep", ""))
    list(tracked("fit", ""))
    assert [entry[1] for entry in (other.log[0], recorder.log[0])] == ["sweep", "fit"]
