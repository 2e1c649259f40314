"""Which device a training runs on."""

import torch

from qat.base.errors import InputError


def resolve_device(accelerator: str) -> torch.device:
    """The device of ``trainer.accelerator``; ``auto`` takes a GPU if there is one.

    Raises:
        ValueError: If there is no such device here.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if accelerator == "auto":
        return torch.device("cuda", 0) if cuda else torch.device("mps" if mps else "cpu")
    if accelerator == "cpu":
        return torch.device("cpu")
    if accelerator in ("gpu", "cuda") and cuda:
        return torch.device("cuda", 0)
    if accelerator in ("gpu", "mps") and mps:
        return torch.device("mps")
    if accelerator not in ("gpu", "cuda", "mps"):
        raise InputError(
            f"trainer.accelerator must be one of auto, cpu, gpu, cuda, mps, got {accelerator!r}"
        )
    raise InputError(f"trainer.accelerator={accelerator}, but torch finds none: set auto or cpu")
