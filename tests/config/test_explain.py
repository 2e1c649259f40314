"""Errors of Hydra and OmegaConf in one line."""

import pytest
from hydra.errors import MissingConfigException
from omegaconf.errors import MissingMandatoryValue

from qat.base.errors import RequestError
from qat.config.compose import check_composes, compose_points
from qat.config.explain import explain, readable


def test_an_option_that_is_missing_and_a_value():
    missing = MissingConfigException("x", "optimizer/sdg", ["adam", "sgd"])
    assert explain(missing) == "no 'sdg' in optimizer; it has adam, sgd; did you mean 'sgd'?"
    error = MissingMandatoryValue("data.path")
    assert explain(error) == "data.path has no value: give data.path=VALUE"


def test_lines_are_joined_and_our_own_errors_stay():
    with pytest.raises(RequestError) as refused, readable("here: "):
        raise ValueError("two\n  lines")
    assert str(refused.value) == "here: two lines"
    own = RequestError("as it is")
    with pytest.raises(RequestError) as refused, readable("here: "):
        raise own
    assert refused.value is own


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("seed=1,2", "seed=1,2: several values are a sweep, qat run -m; a list is KEY=[A,B]"),
        ("seed=(1", "cannot read 'seed=(1': write seed=NUMBER"),
        ("data.mean=[0.5", "cannot read 'data.mean=[0.5': write data.mean=[A,B]"),
        ("scheme.act.bitz=3", "no key 'scheme.act.bitz'; scheme.act has bits, format"),
        ("no.such.key=3", "no key 'no'; keys are model, data"),
        ("observer@scheme.both=mse", "no group 'observer@scheme.both' to choose from; groups are"),
        ("model=resnet_20x", "each of torchvision's"),
        ("data=cifar100", "did you mean data=torchvision data.name=CIFAR100?"),
        ("data=imagenet", "did you mean data=torchvision data.name=ImageNet?"),
    ],
)
def test_what_hydra_refuses(word, message):
    with pytest.raises(RequestError) as refused:
        check_composes([word])
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_wrong_key_in_a_file_names_the_file_and_the_key(tmp_path):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "mine.yaml").write_text("name: sgd\nlr: 0.1\nmomentun: 0.9\n")
    with pytest.raises(RequestError, match=r"mine.*no key 'optimizer.momentun'.*'momentum'"):
        compose_points(["optimizer=mine"], multirun=False, extra_dir=tmp_path)
