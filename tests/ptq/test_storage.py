"""Activations of all images as one tensor, in memory or in a mapped file."""

import tempfile
from pathlib import Path

import pytest
import torch

from qat.ptq.storage import gathered


@pytest.mark.parametrize("limit_bytes", [2**20, 1])
def test_parts_are_joined(limit_bytes, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    parts = [torch.arange(6.0).reshape(3, 2), torch.arange(4.0).reshape(2, 2)]
    whole = gathered(iter(parts), 5, limit_bytes)
    assert torch.equal(whole, torch.cat(parts))
    assert torch.equal(whole[torch.tensor([4, 0])], torch.tensor([[2.0, 3.0], [0.0, 1.0]]))
    assert not list(Path(tmp_path).iterdir())  # nothing stays behind


def test_a_tensor_beyond_the_limit_is_read_from_a_file(monkeypatch):
    made = []
    from_file = torch.from_file
    monkeypatch.setattr(
        torch, "from_file", lambda *args, **more: made.append(more) or from_file(*args, **more)
    )
    gathered([torch.ones(4, 2)], 4, limit_bytes=32)
    assert not made
    gathered([torch.ones(4, 2)], 4, limit_bytes=31)
    assert [more["size"] for more in made] == [8]


def test_several_rows_of_an_image_are_kept():
    parts = [torch.ones(4, 1), torch.zeros(2, 1)]
    assert gathered(parts, 3, 2**20).tolist() == [[1.0]] * 4 + [[0.0]] * 2
