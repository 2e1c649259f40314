"""Copies between devices; tests/gpu has those to a GPU."""

import torch

from qat.data.transfer import to_device


def test_a_tensor_that_is_there_is_not_copied():
    x = torch.arange(4)
    assert to_device(x, "cpu") is x
    assert to_device(x, torch.device("cpu")) is x


def test_a_copy_goes_to_the_device():
    copy = to_device(torch.arange(4), "meta")
    assert (copy.device.type, copy.shape, copy.dtype) == ("meta", (4,), torch.int64)


def test_a_copy_to_a_gpu_begins_in_page_locked_memory(monkeypatch):
    """Without a GPU here: what is called is what torch documents as not waiting."""
    calls = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda x: calls.append("pin") or x)
    monkeypatch.setattr(torch.Tensor, "to", lambda x, *args, **kw: calls.append((args, kw)) or x)
    to_device(torch.arange(4), "cuda:1")
    assert calls == ["pin", ((torch.device("cuda:1"),), {"non_blocking": True})]
