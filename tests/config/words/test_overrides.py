"""Overrides are quoted for Hydra's grammar, and keys that do not exist are refused with a guess."""

import pytest
from hydra import compose

from qat.base.errors import RequestError
from qat.config.compose import composer, typed
from qat.config.explain import readable
from qat.config.words.overrides import check_word, fitted, quoted_word
from qat.config.yaml_files import ROOT_CONFIG


@pytest.mark.parametrize(
    ("value", "typed_value"),
    [
        ("plain/file.npz", "plain/file.npz"),
        ("my files/a.npz", "'my files/a.npz'"),
        ("~/d.npz", "'~/d.npz'"),
        ("a=b.npz", "'a=b.npz'"),
        ("Zürich.npz", "'Zürich.npz'"),
        ("a(1).npz", "'a(1).npz'"),
        ("a,b.npz", "'a,b.npz'"),
        ("it's.npz", "'it\\'s.npz'"),
        ("'already quoted'", "'already quoted'"),
        ("${oc.env:HOME}/d.npz", "${oc.env:HOME}/d.npz"),
    ],
)
def test_paths_are_quoted_and_read_back_as_they_were_typed(value, typed_value):
    word = quoted_word(f"data.path={value}", multirun=False)
    assert word == f"data.path={typed_value}"


def test_every_path_arrives_as_it_was_typed(home, monkeypatch):
    monkeypatch.setenv("HOME", "/home/of")
    paths = {
        "data.path": "my files/ä (1),=b.npz",
        "model.checkpoint": "it's.npz",
        "sensitivity.table": "back\\slash'.npz",
        "allocate.latency_table": "end\\",
        "paths.data": "a:b{c}[d]#e.npz",
        "paths.runs": "~/x y",
        "paths.cache": "~",
    }
    words = [quoted_word(f"{key}={path}", multirun=False) for key, path in paths.items()]
    with readable(""), composer(None):
        config = typed(compose(ROOT_CONFIG, overrides=words))
    for key, path in paths.items():
        section, name = key.split(".")
        found = getattr(getattr(config, section), name)
        assert found == path.replace("~", "/home/of")


def test_values_of_a_sweep_are_quoted_one_by_one():
    assert quoted_word("data.path=a b,c", multirun=True) == "data.path='a b',c"
    assert quoted_word("mode=choice(static,qat)", multirun=True) == "mode=choice(static,qat)"
    assert quoted_word("mode=static,qat", multirun=False) == "mode=static,qat"


def test_a_key_of_a_free_mapping_is_added():
    assert quoted_word("data.options.x=1", multirun=False) == "++data.options.x=1"
    assert quoted_word("+data.options.x=1", multirun=False) == "+data.options.x=1"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("epochs=3", r"no key 'epochs'; did you mean trainer.max_epochs=3 or float.epochs=3\?"),
        ("trainer.qwertyuiop=1", "no key 'trainer.qwertyuiop'; trainer has max_epochs, batch_size"),
        ("w4a4", r"cannot read 'w4a4'.*did you mean scheme=w4a4\?"),
        ("qat", r"did you mean mode=qat\?"),
    ],
)
def test_a_word_that_is_no_override_is_refused(word, message):
    with pytest.raises(RequestError, match=message):
        check_word(word, None, lambda guess: True)


def test_keys_that_exist_and_those_that_hydra_checks_pass():
    for word in ("seed=x", "optimizer=none", "~data", "+a@b=c", "hydra.x=1", "data.options.y=2"):
        check_word(word, None, lambda guess: False)


def test_the_nearest_choice_of_a_value():
    assert fitted("data", "cifar") == "cifar10"
    assert fitted("trainer.accelerator", "cuda:1") == "gpu"
    assert fitted("optimizer", "SGD,Adam") == "sgd,adam"
    assert fitted("seed", "3") == "3"
