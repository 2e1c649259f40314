"""One training in several processes on one machine, each with its part of every batch."""

import signal
from typing import Any

import lightning as L
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException
from torch.utils import deterministic

from qat.base.errors import InputError
from qat.core.kernels import current_kernel, set_kernel
from qat.training.batch_norm import release, synchronise
from qat.training.errors import TrainingError, TrainingInterrupted
from qat.training.lightning_remarks import quiet


def check_devices(devices: int, device: torch.device) -> None:
    """Raise ValueError if there are not that many; a CPU takes any number of processes."""
    there = {"cuda": torch.cuda.device_count(), "cpu": devices}.get(device.type, 1)
    if devices > there:
        raise InputError(
            f"trainer.devices={devices}, but there are {there} of {device.type}: "
            "set fewer, or trainer.accelerator=cpu"
        )


def make_strategy(devices: int, device: torch.device) -> str | DDPStrategy:
    """Lightning's strategy: processes are spawned, so that no command line is run twice."""
    if devices == 1:
        return "auto"
    return DDPStrategy(
        start_method="spawn",
        process_group_backend="nccl" if device.type == "cuda" else "gloo",
        # Ranges and batch-norm statistics are of the whole batch, so equal on all ranks already.
        broadcast_buffers=False,
        # A clip or a branch that a batch does not reach gets no gradient.
        find_unused_parameters=True,
    )


class RankSetup(L.Callback):
    """What each process needs set that belongs to no module, and batch norm over all ranks."""

    def __init__(self) -> None:
        self._kernel, self._threads = current_kernel(), torch.get_num_threads()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrive in a spawned process, before Lightning says anything there."""
        vars(self).update(state)
        self._quiet = quiet()
        self._quiet.__enter__()  # for as long as the process lives

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """A spawned process starts anew: kernel and threads are as the calling one had them."""
        set_kernel(self._kernel)
        torch.set_num_threads(max(1, self._threads // trainer.world_size))
        deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        synchronise(pl_module)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Batch norm as it was."""
        release(pl_module)


def rank_error(error: Any) -> Exception:
    """What went wrong in a process, as the error that one process would have raised."""
    if isinstance(error, ProcessExitedException):
        if error.signal_name == signal.SIGTERM.name:
            return TrainingInterrupted(
                "training was told to end (SIGTERM); the same command goes on from the last epoch"
            )
        return TrainingError(f"a process of the training ended: {error}")
    assert isinstance(error, ProcessRaisedException)
    kind, _, message = str(error).strip().splitlines()[-1].partition(": ")
    name = kind.rpartition(".")[2]
    if name in ("ValueError", InputError.__name__):
        return InputError(message)
    return TrainingError(message if name == TrainingError.__name__ else f"{name}: {message}")
