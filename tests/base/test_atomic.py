"""A file is written completely, or the file before it is unchanged."""

import errno

import pytest

from qat.base.atomic import WriteError, atomic_path, write_atomic, write_error


def test_the_text_is_there_and_no_temporary_file_is_left(tmp_path):
    path = tmp_path / "new" / "folder" / "it.txt"
    write_atomic(path, "ä\n")
    assert path.read_bytes() == "ä\n".encode()
    assert [file.name for file in path.parent.iterdir()] == ["it.txt"]


def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "it.txt"
    path.write_text("old")

    def fail():
        with atomic_path(path, suffix=".npz") as aside:
            assert aside.suffix == ".npz"
            aside.write_text("half")
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"it.txt": "old"}


@pytest.mark.parametrize(
    ("code", "kind"), [(errno.ENOSPC, WriteError), (errno.ENOENT, FileNotFoundError)]
)
def test_only_errors_of_the_disk_become_failed_writes(tmp_path, code, kind):
    with pytest.raises(OSError, match="words of the system") as caught:  # noqa: SIM117
        with atomic_path(tmp_path / "it.txt"):
            raise OSError(code, "words of the system")
    assert type(caught.value) is kind
    assert caught.value.errno == code


def test_a_failed_write_names_the_file_the_reason_and_the_remedy(tmp_path):
    error = write_error(tmp_path / "it.txt", OSError(errno.EROFS, "Read-only file system"))
    assert str(error).startswith(f"could not write {tmp_path / 'it.txt'}: Read-only file system; ")
    assert "choose another folder (paths.runs, paths.cache)" in str(error)
    assert error.errno == errno.EROFS
    assert write_error(tmp_path, error) is error
