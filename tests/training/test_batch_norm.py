"""Batch norm over the batch of all ranks, against torch's over the whole batch."""

import pytest
import torch
from torch import nn

from qat.training import batch_norm
from qat.training.batch_norm import release, synchronise
from tests.ranks import on_ranks


def normalised(rank, ranks):
    """Outputs, input gradients, weight gradients and state of a batch norm over both ranks."""
    norm, x, weight = norm_case()
    synchronise(norm)
    part = slice(0, 3) if rank == 0 else slice(3, None)
    own = x[part].clone().requires_grad_()
    out = norm(own)
    (out * weight[part]).sum().backward()
    evaluated = norm.eval()(own).detach()
    release(norm)
    assert "forward" not in vars(norm)
    grads = {"x": own.grad, "weight": norm.weight.grad, "bias": norm.bias.grad}
    return {"out": out.detach(), "eval": evaluated, **grads, "state": norm.state_dict()}


def norm_case():
    generator = torch.Generator().manual_seed(4)
    norm = nn.BatchNorm2d(4).double()
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2, generator=generator)
    x, weight = torch.randn(2, 8, 4, 3, 3, dtype=torch.float64, generator=generator)
    return norm, x * 3 + 1, weight


@pytest.mark.slow
def test_batch_norm_over_ranks_is_torchs_over_the_whole_batch(tmp_path):
    both = on_ranks(normalised, tmp_path)
    norm, x, weight = norm_case()
    x.requires_grad_()
    out = norm(x)
    (out * weight).sum().backward()
    for key, value in {"out": out.detach(), "x": x.grad, "eval": norm.eval()(x).detach()}.items():
        torch.testing.assert_close(torch.cat([found[key] for found in both]), value)
    for key in ("weight", "bias"):
        torch.testing.assert_close(both[0][key] + both[1][key], getattr(norm, key).grad)
    for found in both:
        torch.testing.assert_close(dict(found["state"]), dict(norm.state_dict()))


@pytest.fixture
def two_equal_ranks(monkeypatch):
    """Two ranks with the same images: each sum over ranks is twice that of one."""
    monkeypatch.setattr(batch_norm, "world_size", lambda: 2)
    monkeypatch.setattr(batch_norm.dist, "all_reduce", lambda tensor: tensor.mul_(2))


@pytest.mark.parametrize("momentum", [0.1, None])
def test_two_equal_ranks_are_one_batch_of_twice_the_images(two_equal_ranks, momentum):
    norms = [nn.BatchNorm2d(4, momentum=momentum).double() for _ in range(2)]
    _, x, _ = norm_case()
    synchronise(norms[0])
    own, twice = norms[0](x), norms[1](torch.cat([x, x]))
    torch.testing.assert_close(torch.cat([own, own]), twice)
    torch.testing.assert_close(dict(norms[0].state_dict()), dict(norms[1].state_dict()))


def test_one_process_and_evaluation_compute_as_torch_does():
    norm, x, _ = norm_case()
    expected = norm(x)
    synchronise(norm)
    assert torch.equal(norm(x), expected)
    release(norm)
    assert "forward" not in vars(norm)
