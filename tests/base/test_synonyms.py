"""The allowed word that a user probably means."""

import pytest

from qat.base.synonyms import close, command_guess, nearest

MODES = ["float", "static", "qat", "mixed"]


@pytest.mark.parametrize(
    ("word", "allowed", "meant"),
    [
        ("STATIC", MODES, "static"),
        ("fashion-mnist", ["cifar10", "fashion_mnist"], "fashion_mnist"),
        ("ptq", MODES, "static"),
        ("taq", MODES, "qat"),
        ("statc", MODES, "static"),
        ("onnx", ["packed", "onnxruntime"], "onnxruntime"),
        ("fp8", ["fp16", "fp8_e4m3", "fp8_e5m2"], "fp8_e4m3"),
        ("zzz", MODES, None),
    ],
)
def test_case_synonyms_swapped_letters_and_similar_words(word, allowed, meant):
    assert close(word, allowed) == meant


def test_an_equal_word_comes_before_a_synonym_and_a_synonym_before_a_similar_word():
    assert close("none", ["float", "none"]) == "none"
    assert close("hist", ["hits", "mse"]) == "mse"


def test_a_synonym_is_suggested_only_where_it_is_allowed():
    assert close("ptq", ["ema", "minmax"]) is None


def test_similarity_has_a_limit():
    assert close("flot", MODES) == "float"
    assert close("flot", MODES, likeness=0.95) is None


def test_commands_come_with_their_arguments():
    commands = ["run", "show", "table"]
    assert command_guess("Status", commands) == "show RUN_DIR"
    assert command_guess("tabel", commands) == "table"
    assert command_guess("zzz", commands) is None


def test_a_question_or_nothing():
    assert nearest("statc", MODES) == "; did you mean 'static'?"
    assert nearest("zzz", MODES) == ""
