"""Facts of files, kept between runs: read once, and again where a file or the index changed."""

import hashlib

import pytest
from PIL import Image

from qat.data.errors import DataError
from qat.data.sources import file_index, image_file
from qat.data.sources.file_index import facts_of
from tests.data.class_folders import pixels


@pytest.fixture
def files(folder):
    return sorted((folder / "test").rglob("*.png"))


@pytest.fixture
def read(monkeypatch):
    """The files that were read, in their order."""
    names, real = [], image_file.inspect

    def inspect(path):
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(file_index, "inspect", inspect)
    return names


def test_a_file_that_did_not_change_is_read_once(files, tmp_path, read):
    first = facts_of(files, tmp_path / "facts", iter)
    assert first[files[3]].sha256 == hashlib.sha256(files[3].read_bytes()).hexdigest()
    assert len(read) == len(files) == 12
    assert facts_of(files, tmp_path / "facts", iter) == first
    assert len(read) == 12
    Image.fromarray(pixels(5, 5, (9, 7, 3))).save(files[3])
    changed = facts_of(files, tmp_path / "facts", iter)
    assert (changed[files[3]].height, changed[files[3]].width) == (9, 7)
    assert read[12:] == [files[3].name]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: "[]",
        lambda text: text.replace('"version": 1', '"version": 0'),
        lambda text: '{"version": 1, "files": {"x": [1]}}',
    ],
    ids=["empty", "a list", "another version", "a short entry"],
)
def test_an_index_that_cannot_be_used_is_made_anew(files, tmp_path, read, damage):
    first = facts_of(files, tmp_path / "facts", iter)
    text = (tmp_path / "facts").read_text()
    (tmp_path / "facts").write_text(damage(text))
    assert facts_of(files, tmp_path / "facts", iter) == first
    assert len(read) == 24


def test_damaged_images_are_counted_and_whole_ones_kept(files, tmp_path, read):
    for path in files[:5]:
        path.write_bytes(b"")
    message = (
        r"^5 images cannot be used: .*ant.00\.png: not a readable .*; "
        r"the others are .*01\.png, .*02\.png and 2 more$"
    )
    with pytest.raises(DataError, match=message):
        facts_of(files, tmp_path / "facts", iter)
    facts_of(files[5:], tmp_path / "facts", iter)
    assert len(read) == 12


def test_one_damaged_image_is_named_alone(files):
    files[0].write_bytes(b"")
    with pytest.raises(DataError, match=r"^[^;]*ant.00\.png: not a readable image"):
        facts_of(files, None, iter)
