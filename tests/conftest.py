"""What many rooms' tests share: one small network, and the command line in this process."""

import io
import logging
import os
import shutil
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from torch import Tensor, nn

from qat.base.garbage import keep_objects
from qat.cli.main import main
from qat.records import environment

# pytest imports readline, which tells child processes (ours run in some) of an 80-column terminal.
os.environ.pop("COLUMNS", None)
os.environ.pop("LINES", None)

# The same cases every time: a test that was green stays green until the code changes.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

GPU = torch.accelerator.is_available()


class TinyNet(nn.Module):
    """Every kind of layer that is quantized, some that are not, and a bias on each."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8)
        self.grouped = nn.Conv2d(8, 12, 3, padding=2, dilation=2, groups=4, padding_mode="circular")
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x)).relu()
        x = self.grouped(self.depthwise(x)).relu()
        return self.head(self.drop(x.mean(dim=(2, 3))))


def pytest_collectstart(collector):
    """Weights that a file draws when it is imported do not depend on the files before it."""
    if isinstance(collector, pytest.Module):
        seed()


def pytest_collection_finish():
    """A search for unreachable objects would visit every test file and test each time."""
    keep_objects()


@pytest.fixture(autouse=True)
def seeded():
    """A test's random numbers are the same whichever tests ran before it."""
    seed()


def seed() -> None:
    """As ``torch.manual_seed``, which notes a stack trace each time where there is no GPU."""
    torch.default_generator.manual_seed(0)
    if GPU:
        torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def repository_read_once():
    """The checkout does not change while tests run: each process asks git once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "git_facts", cache(environment.git_facts))
        yield


@pytest.fixture
def tiny_model() -> nn.Module:
    """In evaluation mode, with batch-norm statistics that are not the initial ones."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = TinyNet()
        net.norm.running_mean.normal_()
        net.norm.running_var.uniform_(0.5, 2)
    return net.eval()


@pytest.fixture
def integer_model(tiny_model: nn.Module) -> nn.Module:
    """The same with an integer form: no runtime pads circularly."""
    tiny_model.grouped.padding_mode = "zeros"
    return tiny_model


@pytest.fixture
def tiny_images() -> Tensor:
    """16 images of 3 x 8 x 8."""
    return torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def one_thread():
    """The machine's other cores are for other tests."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def root_logger():
    """Hydra sets up logging for a process of its own."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.fixture
def home(tmp_path, monkeypatch, one_thread, root_logger):
    """An empty folder to work in; runs, cache and data lie in it too."""
    monkeypatch.chdir(tmp_path)
    for name in ("runs", "cache", "data"):
        monkeypatch.setenv(f"QAT_{name.upper()}", str(tmp_path / name))
    monkeypatch.delenv("QAT_DEBUG", raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Give the home of a request, which is carried out once a session, and what it printed."""
    made = {}

    def make(words):
        if words not in made:
            home, printed = tmp_path_factory.mktemp("made"), io.StringIO()
            with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
                patch.chdir(home)
                for name in ("runs", "cache", "data"):
                    patch.setenv(f"QAT_{name.upper()}", str(home / name))
                assert main(["run", *words]) == 0
            made[words] = home, printed.getvalue()
        return made[words]

    return make


@pytest.fixture
def finished(made_once, home):
    """Copy a finished request into this test's home; gives its last run's folder and output."""

    def copy(*words):
        source, printed = made_once(words)
        for name in ("runs", "cache"):
            shutil.copytree(source / name, home / name, dirs_exist_ok=True)
        out = printed.replace(str(source), str(home))
        return Path(out.strip().splitlines()[-1].removeprefix("record: ")).parent, out

    return copy


@pytest.fixture
def qat(home, capsys):
    """Run a command; returns (exit code, output, errors)."""

    def run(*words):
        capsys.readouterr()
        code = main(list(words))
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def npz(home):
    """Write an npz of 40 tiny images; keyword arguments change its arrays, None leaves one out."""

    def write(name="it.npz", **changes):
        generator = np.random.default_rng(0)
        images = generator.integers(0, 255, (40, 8, 8, 3), dtype=np.uint8)
        labels = np.arange(40) % 4
        arrays = {"train_images": images, "train_labels": labels}
        arrays |= {"test_images": images, "test_labels": labels} | changes
        np.savez(home / name, **{key: value for key, value in arrays.items() if value is not None})
        return home / name

    return write
