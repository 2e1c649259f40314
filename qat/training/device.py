"""The device of a run, from ``trainer.accelerator``, and how exactly it computes."""

import os
import warnings

import torch

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.training.specs import ACCELERATORS


def resolve_device(accelerator: str) -> torch.device:
    """The device of an accelerator's name.

    ``auto`` is an NVIDIA GPU if there is one, else the CPU. Apple's GPU is used only for ``mps`` or
    ``gpu``: it has no float64, in which losses are summed.

    Raises:
        ValueError: If the name is unknown or this machine has no such device.

    Example:
        >>> resolve_device("cpu")
        device(type='cpu')
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    one_of("trainer.accelerator", accelerator, ACCELERATORS)
    if accelerator == "cpu" or (accelerator == "auto" and not cuda):
        return torch.device("cpu")
    if accelerator in ("auto", "gpu", "cuda") and cuda:
        return torch.device("cuda", 0)
    if accelerator in ("gpu", "mps") and mps:
        return torch.device("mps")
    raise InputError(
        f"trainer.accelerator={accelerator}: torch finds no such device here; use auto or cpu"
    )


def check_devices(devices: int, device: torch.device) -> None:
    """Check that the machine has enough devices; a CPU takes any number of processes.

    Args:
        devices: Number of processes, each with its own device.
        device: Of the type that is needed.

    Raises:
        ValueError: If there are fewer devices of this type.
    """
    available = {"cuda": torch.cuda.device_count(), "cpu": devices}.get(device.type, 1)
    if devices > available:
        raise InputError(
            f"trainer.devices={devices}, but there are {available} of type {device.type}: "
            f"set trainer.devices={max(available, 1)}, or trainer.accelerator=cpu"
        )


def compute_in_float32(device: torch.device) -> None:
    """Let an NVIDIA GPU compute float32 in float32, and its matrix products repeatably.

    By default its convolutions use TF32, whose 10 bits after the point do not hold the values that
    a quantizer has rounded to. This holds for the process; other devices need no setting.

    Args:
        device: Of the computation.
    """
    if device.type != "cuda":
        return
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    # torch's compiler advises TF32 for each program.
    warnings.filterwarnings("ignore", message="TensorFloat32 tensor cores", category=UserWarning)
    # Read once by torch, before the first matrix product (docs of use_deterministic_algorithms).
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
