"""Training in several processes on one machine; each has its part of every batch."""

import signal
from contextlib import ExitStack
from typing import Any

import lightning as L
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException
from torch.utils import deterministic

from qat.base.c_output import without_c_warning
from qat.base.errors import InputError
from qat.core.kernels import current_kernel, set_kernel
from qat.training.batch_norm import release, synchronise
from qat.training.errors import STOPPED, TrainingError, TrainingInterrupted
from qat.training.lightning_remarks import quiet


def make_strategy(devices: int, device: torch.device) -> str | DDPStrategy:
    """Lightning's strategy for one or several processes.

    Processes are spawned, so that no command line runs twice.

    Args:
        devices: Number of processes.
        device: Its type selects NCCL (GPU) or Gloo (CPU).
    """
    if devices == 1:
        return "auto"
    return DDPStrategy(
        start_method="spawn",
        process_group_backend="nccl" if device.type == "cuda" else "gloo",
        # Ranges and batch-norm statistics come from the whole batch: equal on all ranks already.
        broadcast_buffers=False,
        # A clip or a branch that a batch does not use gets no gradient.
        find_unused_parameters=True,
    )


ALL_USED = "did not find any unused parameters in the forward pass"
"""Words of a warning of DDP; other batches may leave some parameters unused."""


class RankSetup(L.Callback):
    """Set up each process: kernel, threads, remarks of libraries, batch norm over all ranks."""

    def __init__(self) -> None:
        self._kernel, self._threads = current_kernel(), torch.get_num_threads()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state in a spawned process, before Lightning prints anything there."""
        vars(self).update(state)
        self._quiet = quiet()
        self._quiet.__enter__()  # until the process ends

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Use the kernel and the threads of the calling process, and batch norm over all ranks.

        Args:
            trainer: Its number of processes divides the threads.
            pl_module: Its batch norms are changed.
        """
        set_kernel(self._kernel)
        torch.set_num_threads(max(1, self._threads // trainer.world_size))
        deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        synchronise(pl_module)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Hide a warning that C++ prints after the first forward pass.

        Args:
            trainer: Its strategy has the module of DDP, which prints it.
            pl_module: The module inside of it.
        """
        hidden = ExitStack()

        def begin(*_: Any) -> None:
            inside.remove()
            hidden.enter_context(without_c_warning(ALL_USED))

        def end(*_: Any) -> None:
            outside.remove()
            hidden.close()

        assert trainer.strategy.model is not None
        inside = pl_module.register_forward_hook(begin)
        outside = trainer.strategy.model.register_forward_hook(end, always_call=True)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Undo the change of batch norm.

        Args:
            trainer: Not used.
            pl_module: Its batch norms are restored.
        """
        release(pl_module)


def rank_error(error: Any) -> Exception:
    """The error of one process, as a training in a single process would have raised it.

    Args:
        error: Of torch.multiprocessing.
    """
    if isinstance(error, ProcessExitedException):
        if error.signal_name == signal.SIGTERM.name:
            return TrainingInterrupted(STOPPED)
        return TrainingError(f"a process of the training ended: {error}")
    assert isinstance(error, ProcessRaisedException)
    kind, _, message = str(error).strip().splitlines()[-1].partition(": ")
    name = kind.rpartition(".")[2]
    if name in ("ValueError", InputError.__name__):
        return InputError(message)
    return TrainingError(message if name == TrainingError.__name__ else f"{name}: {message}")
