"""Files that may be anything are read within bounds, or refused in words."""

import hashlib
import os
import socket

import pytest

from qat.base.reading import UnreadableError, file_digest, parse_json, read_bytes, read_json


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b'{"a": 1e999}', "too large", id="beyond every float"),
        pytest.param(b'{"a": -' + b"9" * 400 + b"}", "more than 64 bits", id="400 digits"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", "more than 64 bits", id="5000 digits"),
        pytest.param(b'{"a": 18446744073709551616}', "more than 64 bits", id="2 to the 64"),
        pytest.param(b'{"a": NaN}', "NaN is not JSON", id="nan"),
        pytest.param(b'{"a": [-Infinity]}', "-Infinity is not JSON", id="infinity"),
        pytest.param(b'{"a": "\\ud800"}', "lone surrogate", id="lone surrogate"),
        pytest.param(b'{"\\udfff": 1}', "lone surrogate", id="lone surrogate as a key"),
        pytest.param(b'{"a": 1, "b": 2, "a": 1}', "'a' appears twice", id="twice"),
        pytest.param(b"[" * 100_000, "nested deeper", id="brackets without end"),
        pytest.param(b"[" * 65 + b"]" * 65, "nested deeper", id="65 levels"),
        pytest.param(b'{"a":' * 70 + b"1" + b"}" * 70, "nested deeper", id="70 mappings"),
        pytest.param(b"\xef\xbb\xbf{}", "byte order mark", id="byte order mark"),
        pytest.param(b"\xff\xfe{\x00}\x00", "not UTF-8", id="utf-16"),
        pytest.param(bytes(range(256)), "not UTF-8", id="junk"),
        pytest.param(b"", "not JSON", id="nothing"),
    ],
)
def test_what_is_no_sound_json_is_refused_in_words(content, words):
    with pytest.raises(UnreadableError, match=words):
        parse_json(content)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        pytest.param(b'{"a": 18446744073709551615}', {"a": 2**64 - 1}, id="64 bits"),
        pytest.param(b'["\\ud83d\\ude00"]', ["\N{GRINNING FACE}"], id="a pair of surrogates"),
        pytest.param(b"[" * 64 + b"]" * 64, None, id="64 levels"),
        pytest.param(b'["' + b"[{" * 500 + b'"]', ["[{" * 500], id="brackets in a text"),
        pytest.param(b"[1.7976931348623157e308]", [1.7976931348623157e308], id="largest float"),
    ],
)
def test_what_is_sound_is_read(content, value):
    found = parse_json(content)
    assert value is None or found == value


def test_a_file_of_another_kind_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))  # a socket's path must be short
        kinds = {
            tmp_path / "pipe": "a pipe",
            tmp_path / "socket": "a socket",
            tmp_path: "a folder",
            tmp_path.__class__("/dev/zero"): "a device",
        }
        for path, words in kinds.items():
            for read in (read_json, read_bytes, file_digest):
                with pytest.raises(UnreadableError, match=f"{words}, not a file"):
                    read(path)


def test_a_loop_of_links_is_an_error_of_the_system(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match=r"symbolic links|no such"):
        read_bytes(tmp_path / "loop")


def test_no_more_is_read_than_allowed(tmp_path):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    with pytest.raises(UnreadableError, match="larger than 1 MiB"):
        read_bytes(path, 2**20)
    assert read_bytes(path, 100 * 2**20) == bytes(100 * 2**20)
    assert file_digest(path) == hashlib.sha256(bytes(100 * 2**20)).hexdigest()
