"""Guesses: what is meant by words of the field. Every guess is accepted when typed."""

import pytest
import yaml
from hydra import compose
from omegaconf import OmegaConf

from qat.base.errors import RequestError
from qat.base.synonyms import COMMAND_SYNONYMS, VALUE_SYNONYMS, close, command_guess
from qat.cli.main import command_parser
from qat.config.checks.combinations import check_config
from qat.config.compose import composer, is_accepted, typed
from qat.config.explain import readable
from qat.config.keys import choosable, is_key, key_types, keys_under
from qat.config.schema import RunConfig
from qat.config.words.command_line import known_words, sort_words
from qat.config.words.guess import KEY_SYNONYMS, key_guesses
from qat.config.yaml_files import ROOT_CONFIG, options

SAMPLES = {
    "trainer.accelerator": "cpu",
    "float.accelerator": "cpu",
    "scheme.rules": "[]",
    "study.name": "mine",
    "schedule.warmup_epochs": "1",
    "force": "true",
    "trainer.devices": "1",
    "hydra/launcher": "basic",
    "hydra/sweeper": "basic",
}
OF_TYPE = ((bool, "true"), (int, "4"), (float, "0.5"), (str, "there"))
SYMMETRIC = "symmetric"


def sample(key):
    """A value of a key."""
    if key in SAMPLES:
        return SAMPLES[key]
    if key in choosable():
        return next(o for o in options(key.partition("@")[0]) if o not in ("user", "torchvision"))
    kind = str(key_types()[key])
    return next(text for type_, text in OF_TYPE if type_.__name__ in kind)


def whole(word):
    return word if "=" in word else f"{word}={sample(word)}"


GUESSES = sorted({whole(word) for key in KEY_SYNONYMS for word in key_guesses(key)})


def test_every_synonym_has_a_guess():
    without = [key for key in KEY_SYNONYMS if not key_guesses(key)]
    assert without in ([], ["classes", "num_classes"])  # data.classes may be of a later version


def test_every_guess_composes():
    """Those of different keys at once: composing takes a while."""
    by_key = {word.partition("=")[0]: word for word in GUESSES}
    with readable(""), composer(None):
        config = compose(ROOT_CONFIG, overrides=[*by_key.values()])
        assert isinstance(typed(config), RunConfig)
    plain = {key: word.partition("=")[2] for key, word in by_key.items() if key in key_types()}
    assert plain
    for key, value in plain.items():
        assert OmegaConf.select(config, key) == yaml.safe_load(value), key


@pytest.mark.slow
def test_every_guess_is_accepted_when_typed():
    """One composer for all: making one takes longer than composing."""
    with readable(""), composer(None):
        for word in GUESSES:
            config = typed(compose(ROOT_CONFIG, overrides=[word]))
            check_config(config)


@pytest.mark.parametrize("key", KEY_SYNONYMS)
def test_a_synonym_is_no_key_itself(key):
    assert "." not in key or key not in choosable()
    assert not (is_key(key) and keys_under(key) == [])


@pytest.mark.parametrize(
    ("word", "guess"),
    [
        ("bits=4", "scheme.weight.bits=4 or scheme.act.bits=4?"),
        ("lr=0.1", "optimizer.lr=0.1 or float.optimizer.lr=0.1?"),
        ("epochs=3", "trainer.max_epochs=3 or float.epochs=3?"),
        ("observer=mse", "observer@scheme.act=mse or observer@scheme.weight=mse?"),
        ("max_epochs=2", "trainer.max_epochs=2?"),
        ("placement=integer", "scheme.placement=integer?"),
        ("gama=0.5", "schedule.gamma=0.5 or float.schedule.gamma=0.5?"),
        ("dataset=cifar", "data=cifar10?"),
        ("optimiser=SGD", "optimizer=sgd?"),
        ("per_channel=true", "scheme.weight.granularity=channel?"),
        ("device=cuda:0", "trainer.accelerator=gpu or float.accelerator=gpu?"),
    ],
)
def test_a_key_that_is_not_there(word, guess):
    with pytest.raises(RequestError) as refused:
        known_words(sort_words([word]), lambda words, folder: True)
    assert str(refused.value).endswith(f"did you mean {guess}")


def test_guesses_of_a_sweep_keep_its_values():
    with pytest.raises(RequestError, match=r"did you mean scheme.weight.bits=4,8 or "):
        known_words(sort_words(["-m", "bits=4,8"]), is_accepted)


def test_a_guess_that_would_be_refused_is_not_given():
    with pytest.raises(RequestError, match=r"did you mean scheme.weight.group_size=VALUE\?"):
        known_words(sort_words(["group_size=8"]), is_accepted)


@pytest.mark.parametrize(
    ("word", "allowed", "meant"),
    [
        ("ptq", ("float", "static", "qat"), "static"),
        ("SGD", ("adam", "sgd"), "sgd"),
        ("int4", ("w8a8", "w4a4"), "w4a4"),
        ("tex", ("csv", "latex"), "latex"),
        ("moving-average", ("minmax", "ema"), "ema"),
        ("nothing like it", ("minmax", "ema"), None),
    ],
)
def test_a_value_that_is_meant(word, allowed, meant):
    assert close(word, allowed) == meant


def test_value_synonyms_are_choices_somewhere():
    choices = {option for group in choosable() for option in options(group.partition("@")[0])}
    choices |= {"float", "static", "qat", "mixed", "none", "channel", "tensor", "integer"}
    choices |= {"academic", "power_of_two", "gpu", "onnxruntime", "output_kl", "true"}
    choices |= {"latex", "markdown", "html", "csv"}
    for values in VALUE_SYNONYMS.values():
        assert set(values) <= choices


def test_commands_that_are_meant_are_commands():
    """They are read by the parser, RUN_DIR and all."""
    for guess in COMMAND_SYNONYMS.values():
        name, *rest = guess.split()
        if not name.startswith("--") and name != "run":
            assert command_parser().parse_args([name, *rest]).action
    assert command_guess("rum", ["run", "show"]) == "run"
    assert command_guess("evaluat", ["run", "evaluate"]) == "evaluate"
