"""Named data sets: the file first, then a download that is written there."""

from urllib.error import URLError

import numpy as np
import pytest
import torchvision.datasets

from qat.data import load_data
from qat.data.errors import DataError
from qat.data.request import DataRequest
from qat.data.sources.download import named_file


class NoNetwork:
    """A download that cannot be."""

    def __init__(self, root, train, download):
        raise URLError("Name or service not known")


def no_download(folder):
    raise AssertionError("there is a file: nothing is to be downloaded")


def test_a_file_of_that_name_is_taken_before_any_download(tmp_path):
    (tmp_path / "it.npz").write_bytes(b"here")
    assert named_file("it", DataRequest("it", root=tmp_path), no_download) == tmp_path / "it.npz"
    own = tmp_path / "elsewhere.npz"
    assert named_file("it", DataRequest("it", root=tmp_path, path=own), no_download) == own


def test_a_download_becomes_the_file_and_leaves_nothing_else(tmp_path):
    pixels = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)

    def fetch(folder):
        (folder / "archive.tar").write_bytes(b"large")
        return {"test_images": pixels}

    path = named_file("it", DataRequest("it", root=tmp_path / "new"), fetch)
    assert path == tmp_path / "new" / "it.npz"
    assert np.array_equal(np.load(path)["test_images"], pixels)
    assert {p.name for p in path.parent.iterdir()} <= {"it.npz", ".it.lock"}


@pytest.mark.parametrize(
    ("name", "cls"), [("cifar10", "CIFAR10"), ("fashion_mnist", "FashionMNIST")]
)
def test_a_failed_download_says_where_the_file_goes(tmp_path, monkeypatch, name, cls):
    monkeypatch.setattr(torchvision.datasets, cls, NoNetwork)
    with pytest.raises(DataError, match=r"could not be downloaded .*put the file there") as caught:
        load_data(DataRequest(name, root=tmp_path))
    assert str(tmp_path / f"{name}.npz") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] in ([], [f".{name}.lock"])


def test_without_a_folder_it_says_what_to_set():
    with pytest.raises(DataError, match=r"set paths\.data or QAT_DATA"):
        named_file("it", DataRequest("it"), no_download)
