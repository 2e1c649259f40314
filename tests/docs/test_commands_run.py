"""The commands of each page, typed in their order, with few images: each one succeeds."""

import sys

import pytest

from qat.cli.main import main
from qat.config.yaml_files import config_dir
from tests.docs.blocks import commands_to_run
from tests.docs.reader import RUNNERS, Reader, furnish, shortening

COMMANDS = commands_to_run()


@pytest.fixture
def reader(home, monkeypatch, qat):
    """A reader who has the files that pages name; modules of the folder are forgotten after."""
    furnish(home)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    before = set(sys.modules)
    yield Reader(home, main)
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("mynet", "own_method", "my_methods"):
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", COMMANDS)
def test_the_commands_of_a_page_run(reader, monkeypatch, page):
    if page.startswith("examples/"):
        monkeypatch.chdir(config_dir().parent / page.rpartition("/")[0])
    for command in COMMANDS[page]:
        assert reader.type(command) == 0, command


def test_what_is_shortened():
    assert "scale=smoke" in shortening(["-m", "experiment=bitwidth"])
    assert "scale=smoke" not in shortening(["experiment=demo_float"])
    assert "float=smoke" not in shortening(["float=quick"])
    assert "data.test_images=32" in shortening(["data=cifar10"])
    assert "data.test_images=32" not in shortening(["data=folder", "data.path=DIR"])
    assert shortening(["--cfg", "job"]) == []


def test_a_command_that_fails_is_seen(home):
    reader = Reader(home, main)
    assert reader.type("qat show nothing") == 2
    assert reader.type("eval 'exit 3'") == 3
    assert set(RUNNERS) == {"qat", "cd", "eval", "python"}
