"""Words after ``qat run``: flags, overrides, and what is wrong with them."""

from pathlib import Path

import pytest

from qat.base.errors import RequestError
from qat.config.words.command_line import known_words, sort_words


def test_flags_and_overrides_are_sorted():
    words = sort_words(["-m", "seed=0,1", "--config-dir=mine", "--from", "runs/it", "~data"])
    assert words.overrides == ("seed=0,1", "~data")
    assert (words.multirun, words.extra_dir, words.rerun_of) == (True, Path("mine"), "runs/it")
    assert sort_words(["-cd", "mine"]) == sort_words(["--config-dir", "mine"])
    assert sort_words([]).extra_dir is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from"], "--from needs a folder: write --from RUN_DIR"),
        (["--sweep"], "no flag '--sweep'; did you mean -m?"),
        (["--multirn"], "did you mean --multirun?"),
        (["--seed=3"], "settings have no dashes; did you mean seed=3?"),
        (["--lr", "0.1"], "did you mean optimizer.lr=0.1?"),
        (["--qat"], "did you mean mode=qat?"),
        (["--xyzzy"], "no flag '--xyzzy'; see qat run --help"),
    ],
)
def test_an_unknown_flag_is_refused_with_a_guess(words, message):
    with pytest.raises(RequestError) as refused:
        sort_words(words)
    assert message in str(refused.value)


def test_known_words_are_quoted():
    words = known_words(sort_words(["data.path=a b", "~scheme.rules"]), lambda *_: True)
    assert words.overrides == ("data.path='a b'", "~scheme.rules")


def test_keys_of_hydra_and_folders_are_checked(tmp_path):
    with pytest.raises(RequestError, match=r"hydra.run.dir=x is not honoured"):
        known_words(sort_words(["hydra.run.dir=x"]), lambda *_: True)
    with pytest.raises(RequestError, match="nowhere is not a folder"):
        known_words(sort_words(["--config-dir", str(tmp_path / "nowhere")]), lambda *_: True)


def test_of_a_sweep_the_first_value_of_a_guess_is_tried():
    tried = []

    def accepted(overrides, folder):
        tried.append((list(overrides), folder))
        return True

    with pytest.raises(RequestError, match=r"did you mean trainer.max_epochs=3,4 or float"):
        known_words(sort_words(["-m", "epochs=3,4"]), accepted)
    assert tried == [(["trainer.max_epochs=3"], None), (["float.epochs=3"], None)]
