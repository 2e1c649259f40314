"""The packed file as a container: a round trip, and the digest against hashlib."""

import hashlib

import pytest
import torch

from qat.export.packed.file import (
    FORMAT,
    PackedFileError,
    digest_of,
    fold,
    read_file,
    unfold,
    write_file,
)

TENSORS = {"b": torch.tensor([1, -2], dtype=torch.int32), "a": torch.tensor([[0.5]])}


def test_what_is_read_is_what_was_written(tmp_path):
    path = tmp_path / "it"
    plan = {"layers": [1, 2], "name": "ä"}
    size = write_file(path, TENSORS, {"plan": plan}, version=7)
    assert size == path.stat().st_size
    tensors, metadata = read_file(path)
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert (metadata["format"], metadata["version"]) == (FORMAT, "7")
    assert unfold(path, metadata, "plan") == plan


def test_the_digest_is_a_sha256_over_sorted_names_types_shapes_and_bytes():
    text = b"format=f\nplan=p\n"
    text += b"a torch.float32 (1, 1)\n" + bytes([0, 0, 0, 0x3F])  # 0.5, little-endian
    text += b"b torch.int32 (2,)\n" + bytes([1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF])
    metadata = {"plan": "p", "format": "f", "sha256": "not counted"}
    assert digest_of(TENSORS, metadata) == hashlib.sha256(text).hexdigest()
    assert digest_of({**TENSORS, "a": TENSORS["a"].reshape(1)}, metadata) != digest_of(
        TENSORS, metadata
    )


def test_missing_and_damaged_parts_are_named(tmp_path):
    path = tmp_path / "it"
    for metadata in ({}, {"plan": "????"}, {"plan": fold(1)[:-4]}):
        with pytest.raises(PackedFileError, match=r"it has damaged metadata \(plan\): write it"):
            unfold(path, metadata, "plan")
