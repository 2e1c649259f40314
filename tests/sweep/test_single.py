"""A checked request of one run: finished, ready, or refused."""

import pytest

from qat.base.errors import RequestError
from qat.config.compose import is_accepted
from qat.config.register import register_schema
from qat.config.words.command_line import known_words, sort_words
from qat.sweep.single import single_run
from tests.command_line import TINY


def requested(*words):
    register_schema()
    return single_run(known_words(sort_words(words), is_accepted))


def test_a_new_run_is_prepared_and_a_finished_one_is_not(finished):
    folder, _ = finished(*TINY, "mode=static")
    old, new = requested(*TINY, "mode=static"), requested(*TINY, "scheme=w4a4")
    assert (old.folder.path.resolve(), old.prepared) == (folder.resolve(), None)
    assert new.prepared is not None
    assert new.folder.path == new.prepared.folder != old.folder.path
    assert not new.has_page


def test_a_wrong_request_starts_nothing(home):
    with pytest.raises(RequestError, match=r"calibrate.images"):
        requested(*TINY, "calibrate.images=0")
    assert not (home / "runs").exists()
