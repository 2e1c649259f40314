"""What a step gets."""

import torch

from qat.ptq.work import untracked
from tests.ptq.networks import Residual, quantized, seeded, work_of


def test_draws_depend_on_seed_and_name_alone():
    qnet = quantized(seeded(Residual))
    first, again, other = (work_of(qnet, seed=seed) for seed in (1, 1, 2))
    torch.rand(3)  # draws elsewhere change nothing

    def draw(work, name):
        return torch.rand(4, generator=work.generator(name)).tolist()

    assert draw(first, "conv") == draw(again, "conv")
    assert draw(first, "conv") != draw(other, "conv")
    assert draw(first, "conv") != draw(first, "fc")


def test_images_and_device():
    work = work_of(quantized(seeded(Residual)))
    assert work.images == 12
    assert work.device.type == "cpu"
    assert list(untracked("text", [1, 2])) == [1, 2]
