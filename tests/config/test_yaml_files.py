"""Files of groups: ours, the user's before ours, and what they say."""

from pathlib import Path

import pytest

from qat.config.yaml_files import config_dir, default_path, files, groups, options, summary


def test_the_folder_is_that_of_the_project():
    assert config_dir() == Path(__file__).parents[2] / "conf"
    assert set(groups()) == {path.name for path in config_dir().iterdir() if path.is_dir()}


def test_files_of_the_user_come_first(tmp_path):
    (tmp_path / "optimizer" / "deep").mkdir(parents=True)
    (tmp_path / "my_group").mkdir()
    for name in ("sgd", "deep/er"):
        (tmp_path / "optimizer" / f"{name}.yaml").touch()
    paths = files("optimizer", tmp_path)
    assert paths["sgd"] == tmp_path / "optimizer" / "sgd.yaml"
    assert paths["adam"] == config_dir() / "optimizer" / "adam.yaml"
    assert options("optimizer", tmp_path) == sorted(["deep/er", *options("optimizer")])
    assert "my_group" in groups(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# Learned step size.\n# Esser et al. 2020.\nname: lsq\n", "Learned step size."),
        ("# @package _global_\n# Asks:  does it\n#        hold?\n# Run: x\n", "does it hold?"),
        ("# Two\n# lines\n\n# apart\n", "Two lines"),
        ("name: it\n# too late\n", ""),
    ],
)
def test_the_first_sentence_of_the_comment(tmp_path, text, sentence):
    path = tmp_path / "it.yaml"
    path.write_text(text)
    assert summary(path) == sentence


def test_folders_without_a_configuration(monkeypatch):
    monkeypatch.setenv("QAT_RUNS", "~/elsewhere")
    monkeypatch.setenv("HOME", "/home/of")
    monkeypatch.delenv("QAT_DATA", raising=False)
    assert default_path("runs") == Path("/home/of/elsewhere")
    assert default_path("data") == Path("data")
