"""Names of data sets and the places of their files."""

import subprocess
import sys

import pytest
import torchvision.datasets

from qat.config.yaml_files import options
from qat.data.errors import DataError
from qat.data.load import LOADERS
from qat.data.names import (
    DATA_NAMES,
    NAMED,
    TORCHVISION_DATA,
    check_name,
    chosen_options,
    file_name,
    presence,
    torchvision_name,
)


def test_the_names_are_those_that_can_be_loaded():
    assert set(DATA_NAMES) == set(LOADERS)
    assert set(DATA_NAMES) - set(TORCHVISION_DATA) | {"torchvision"} == set(options("data"))
    assert all(hasattr(torchvision.datasets, name) for name in TORCHVISION_DATA)


def test_the_list_loads_no_torch():
    script = "import sys, qat.data.names; print({'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CIFAR10", r"data\.name=CIFAR10 is data=cifar10 here"),
        ("FashionMNIST", r"data=fashion_mnist here"),
        ("imagenet", r"did you mean data\.name=ImageNet\?"),
        ("oxford-iiit-pet", r"did you mean data\.name=OxfordIIITPet\?"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_right_one(name, message):
    with pytest.raises(DataError, match=message):
        check_name(name)


def test_other_names_pass():
    for name in (*DATA_NAMES, "no such data"):  # the latter is refused by the list of all names
        check_name(name)
    assert torchvision_name("cifar10") is None


def test_options_have_defaults_and_are_checked():
    assert chosen_options("EMNIST", {}) == {"split": "balanced"}
    assert chosen_options("DTD", {"partition": 10}) == {"partition": "10"}
    with pytest.raises(DataError, match=r"data\.options\.split must be one of balanced, .*got 'b'"):
        chosen_options("EMNIST", {"split": "b"})
    with pytest.raises(DataError, match=r"options\.fold: MNIST has the options none; drop it"):
        chosen_options("MNIST", {"fold": 1})


def test_each_data_set_has_a_place():
    assert file_name("EMNIST", {"split": "letters"}) == "EMNIST-letters.npz"
    assert file_name("GTSRB", {}) == "gtsrb"
    places = [file_name(name, {}) for name in (*NAMED, *TORCHVISION_DATA)]
    assert len(set(places)) == len(places)


def test_what_is_here_is_named_and_what_is_not_says_how_it_comes(tmp_path):
    download = "qat downloads it at the first use"
    assert presence("CIFAR100", tmp_path) == presence("DTD", tmp_path) == (None, download)
    for name, files in {
        "CIFAR100": ["CIFAR100.npz"],
        "cifar10": ["cifar10.npz"],
        "EMNIST": ["EMNIST-balanced.npz", "EMNIST-letters.npz"],
    }.items():
        for file in files:
            (tmp_path / file).touch()
        here = ", ".join(str(tmp_path / file) for file in files)
        assert presence(name, tmp_path) == (here, download)
    (tmp_path / "dtd").mkdir()
    assert presence("DTD", tmp_path) == (str(tmp_path / "dtd"), download)
    cure = f"put train and val into {tmp_path / 'imagenet'}, or set data.path=DIR"
    assert presence("ImageNet", tmp_path) == (None, cure)
