"""The command line in this process, in a folder of its own."""

import numpy as np
import pytest
import torch

from qat.cli.main import main

SMALL = ["data=synthetic", "float=smoke", "tracking=none", "measure.repeats=1", "measure.warmup=0"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder to work in; runs, cache and data lie in it too."""
    monkeypatch.chdir(tmp_path)
    for name in ("runs", "cache", "data"):
        monkeypatch.setenv(f"QAT_{name.upper()}", str(tmp_path / name))
    monkeypatch.delenv("QAT_DEBUG", raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)


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
