"""A request for a data set: paths as they were meant, and an index file for each folder."""

import hashlib
from pathlib import Path

import pytest

from qat.data.request import DataRequest


def test_text_becomes_a_path_and_the_home_folder_is_found(monkeypatch):
    monkeypatch.setenv("HOME", "/users/me")
    request = DataRequest("folder", path="~/images", root="data", calibration="~/own.npz")
    assert request.path == Path("/users/me/images")
    assert request.root == Path("data")
    assert request.calibration == Path("/users/me/own.npz")


def test_each_folder_has_an_index_file_of_its_own(tmp_path):
    request = DataRequest("folder", path=tmp_path / "a", index_folder=tmp_path / "facts")
    digest = hashlib.sha256(str((tmp_path / "a").resolve()).encode()).hexdigest()
    assert request.index(request.path) == tmp_path / "facts" / f"{digest[:24]}.json"
    assert request.index(tmp_path / "b") != request.index(tmp_path / "a")


@pytest.mark.parametrize(
    ("folder", "index_folder"), [(None, Path("facts")), (Path("images"), None)]
)
def test_without_folder_or_index_folder_nothing_is_kept(folder, index_folder):
    assert DataRequest("folder", index_folder=index_folder).index(folder) is None
