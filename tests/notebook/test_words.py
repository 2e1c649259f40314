"""Arguments become the words of a command line."""

import pytest

from qat.base.errors import RequestError
from qat.notebook.words import request_words
from tests.stored_runs import a_record, store


def test_words_are_checked_and_quoted_as_those_of_the_command(home):
    folder, record = store(home / "runs", a_record())
    words = request_words(["seed=0,1"], home, record, multirun=True)
    assert (words.overrides, words.multirun, words.extra_dir) == (("seed=0,1",), True, home)
    assert words.rerun_of == str(folder)
    assert request_words(["mode=qat"], None).rerun_of is None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([4], "an override must be text such as 'mode=qat', got 4"),
        (["-m"], "in Python use qat.sweep for -m"),
        (["schem=w4a4"], "scheme"),
    ],
)
def test_a_word_that_is_no_override_is_refused(overrides, message):
    with pytest.raises(RequestError, match=message):
        request_words(overrides, None)


def test_a_folder_that_does_not_exist_is_refused(home):
    with pytest.raises(RequestError, match="--config-dir"):
        request_words([], home / "absent")
