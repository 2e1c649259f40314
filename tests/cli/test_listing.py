"""qat list: names from the YAML files of the package and of the user."""

import re

import pytest

from qat.base.errors import RequestError
from qat.cli.listing import list_command
from qat.cli.main import TOPICS


@pytest.mark.parametrize(
    ("topic", "name"),
    [("models", "resnet20"), ("data", "cifar10"), ("quantizers", "lsq"), ("observers", "mse"),
     ("schemes", "w4a4"), ("experiments", "demo_float"), ("studies", "bitwidth"),
     ("allocators", "ilp"), ("metrics", "top1"), ("sensitivities", "output_kl"),
     ("ptq", "equalize"),
     ("groups", "optimizer")],
)  # fmt: skip
def test_each_topic_lists_its_names(topic, name, capsys):
    assert list_command(topic) == 0
    assert re.search(rf"^  {name}\b", capsys.readouterr().out, re.MULTILINE)


def test_without_a_topic_all_are_listed(capsys):
    list_command(None)
    out = capsys.readouterr().out
    assert re.findall(r"^(\w+):$", out, re.MULTILINE) == list(TOPICS)


def test_the_users_names_are_marked(home, capsys):
    (home / "mine" / "scheme").mkdir(parents=True)
    (home / "mine" / "scheme" / "zebra.yaml").write_text("# Black and white.\nname: zebra\n")
    list_command("schemes", home / "mine")
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert re.fullmatch(r"  zebra +Black and white\.  \(yours\)", lines["zebra"])
    assert "(yours)" not in lines["w8a8"]
    with pytest.raises(RequestError, match="nowhere is not a folder"):
        list_command("schemes", home / "nowhere")


def test_each_data_set_says_whether_it_is_here(home, capsys):
    (home / "data").mkdir()
    (home / "data" / "MNIST.npz").touch()
    (home / "mine" / "data").mkdir(parents=True)
    (home / "mine" / "data" / "cifar10.yaml").write_text("# My own.\nname: npz\n")
    list_command("data", home / "mine")
    lines = capsys.readouterr().out.splitlines()
    found = {line.split()[0]: line for line in lines}
    assert found["fashion_mnist"].endswith("qat downloads it at the first use.")
    assert "Here: " in found["data.name=MNIST"]
    assert "MNIST.npz" in found["data.name=MNIST"]
    assert "100 classes. Not here: " in found["data.name=CIFAR100"]
    assert found["data.name=ImageNet"].endswith("data/imagenet, or set data.path=DIR.")
    assert found["cifar10"].endswith("My own.  (yours)")
    assert lines.index(found["data.name=CIFAR100"]) == lines.index(found["torchvision"]) + 1
