"""Train a classifier; an interrupted training is resumed."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lightning as L
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException

from qat.base.errors import InputError
from qat.core.evaluation_mode import layers_called
from qat.training.checkpoints import (
    BEST,
    LAST,
    KeepLastAndBest,
    check_fits,
    find_resumable,
    load_net,
    read_checkpoint,
)
from qat.training.classifier import Classifier
from qat.training.device import check_devices, compute_in_float32, resolve_device
from qat.training.distributed import RankSetup, make_strategy, rank_error
from qat.training.errors import STOPPED, TrainingError, TrainingInterrupted
from qat.training.lightning_remarks import quiet
from qat.training.loaders import (
    CurrentEpoch,
    DealtBatches,
    EpochBatches,
    RankBatches,
    SizedBatches,
    TrainBatches,
    Wrapped,
)
from qat.training.loss_check import StopOnNonFinite, check_weights
from qat.training.phases import FollowProgress, FreezeBatchNorm, FreezeObservers
from qat.training.repeatable import repeatable
from qat.training.seed_each_batch import SeedEachBatch
from qat.training.specs import FitSpec, check_course
from qat.training.step import make_step


@dataclass(frozen=True)
class FitResult:
    """The result of a training.

    Attributes:
        checkpoint: File that the network's weights were loaded from; None after ``fast_dev_run``.
        kept: ``best`` or ``last``: which checkpoint that is.
        epoch: Epoch of that checkpoint, from 0.
        val_top1: Validation accuracy of the best epoch, a fraction; None without a validation set.
        epochs: Epochs of the whole training.
        resumed_from: Epochs that were finished before this call.
        seconds: Duration of this call.
    """

    checkpoint: Path | None
    kept: str
    epoch: int
    val_top1: float | None
    epochs: int
    resumed_from: int
    seconds: float


def fit(
    module: Classifier,
    train_batches: TrainBatches,
    val_batches: SizedBatches | None,
    spec: FitSpec,
    folder: Path,
    *,
    seed: int = 0,
    loggers: Sequence[Logger] = (),
    callbacks: Sequence[L.Callback] = (),
) -> FitResult:
    """Train ``module.net`` in place; it ends in evaluation mode, on the device where it started.

    After every epoch ``last.ckpt`` is written and, if this epoch is the best so far, ``best.ckpt``.
    A second call with the same arguments resumes after the last finished epoch and reaches the same
    weights, bit for bit, as an undisturbed training. If the training is finished, the call only
    loads its result.

    With ``spec.devices`` above 1 each process takes its part of every batch; a step equals that of
    one process except for the order of sums. Processes are spawned: a script that calls this
    function needs ``if __name__ == "__main__":``, and all arguments must pickle, so
    ``train_batches`` is a module-level function or a ``functools.partial`` of one.

    Args:
        module: Network, optimizer, schedule.
        train_batches: From the epoch, counted from 0, to its batches ``(images, labels)``; they may
            depend on nothing else.
        val_batches: Choose the best epoch; read once per epoch. Never the test set. None for none.
        spec: Length and settings of the training.
        folder: Of the checkpoints.
        seed: Fixes random numbers of the training such as dropout; the data have their own seed.
        loggers: Lightning's loggers.
        callbacks: Further callbacks, for example a progress bar.

    Raises:
        ValueError: If a device or a validation set is missing, there are no batches, the schedule
            does not fit, or a batch has fewer images than ``spec.devices``.
        TrainingError: If the loss or a weight becomes NaN or infinite, or a process ends.
        CheckpointError: If the folder has checkpoints of another network, or the result is damaged.
        TrainingInterrupted: On SIGTERM.
    """
    started = time.perf_counter()
    _check(module, val_batches, spec)
    folder.mkdir(parents=True, exist_ok=True)
    resumable = None if spec.fast_dev_run else find_resumable(folder)
    finished = 0
    if resumable is not None:
        check_fits(module.net, resumable[1], resumable[0])
        finished = resumable[1]["epoch"] + 1
    if finished < spec.max_epochs:
        trainer_callbacks = [*_callbacks(spec, folder, seed), *callbacks]
        resume = resumable[0] if resumable else None
        _train(module, train_batches, val_batches, spec, trainer_callbacks, loggers, resume)
    check_weights(module.net)
    path, epoch, top1 = _load_kept(module, spec, folder)
    module.net.eval()
    seconds = time.perf_counter() - started
    epochs = max(finished, spec.max_epochs)
    return FitResult(path, spec.keep, epoch, top1, epochs, finished, seconds)


def _check(module: Classifier, val_batches: SizedBatches | None, spec: FitSpec) -> None:
    if spec.keep == "best" and val_batches is None:
        raise InputError(
            "trainer.keep=best needs a validation set to choose the best epoch: "
            "set data.val_fraction above 0, or trainer.keep=last"
        )
    if isinstance(val_batches, Iterator):
        raise InputError("val_batches is an iterator, which ends after one epoch: give a list")
    check_course(module.schedule, module.optimizer.lr, spec)


def _callbacks(spec: FitSpec, folder: Path, seed: int) -> list[L.Callback]:
    phases: list[L.Callback] = []
    if spec.freeze_observers_at is not None:
        phases.append(FreezeObservers(spec.freeze_observers_at))
    if spec.freeze_batch_norm_at is not None:
        phases.append(FreezeBatchNorm(spec.freeze_batch_norm_at))
    if spec.devices > 1:
        phases.append(RankSetup())
    return [
        SeedEachBatch(seed),
        StopOnNonFinite(),
        FollowProgress(),
        *phases,
        KeepLastAndBest(folder),
    ]


def _train(
    module: Classifier,
    train_batches: TrainBatches,
    val_batches: SizedBatches | None,
    spec: FitSpec,
    callbacks: list[L.Callback],
    loggers: Sequence[Logger],
    resume: Path | None,
) -> None:
    device = resolve_device(spec.accelerator)
    check_devices(spec.devices, device)
    compute_in_float32(device)
    home = next((p.device for p in module.net.parameters()), device)
    with quiet(), repeatable(device), _as_exceptions():
        trainer = _trainer(spec, device, callbacks, loggers)
        module.train()  # Lightning does not change the modes itself
        # Hooks read features, and code that is fused or compiled runs none.
        fusible = spec.devices == 1 and not getattr(module, "reads_features", False)
        own_net = module.net if fusible else None
        module.step = make_step(spec.compile, device.type, own_net)
        train: SizedBatches = EpochBatches(train_batches, CurrentEpoch(trainer))
        # Lightning would treat a list as several loaders, so it is wrapped.
        val: SizedBatches | None = None if val_batches is None else Wrapped(val_batches)
        if spec.devices > 1:
            module.cpu()  # each process moves its copy to its own device
            train, val = RankBatches(train), val and DealtBatches(val)
        with layers_called():  # in validation too
            trainer.fit(module, train, val, ckpt_path=resume, weights_only=True)
    module.net.to(home)  # Lightning leaves it on the CPU


def _trainer(
    spec: FitSpec, device: torch.device, callbacks: list[L.Callback], loggers: Sequence[Logger]
) -> L.Trainer:
    return L.Trainer(
        accelerator=device.type,
        devices=spec.devices,
        strategy=make_strategy(spec.devices, device),
        use_distributed_sampler=False,  # the batches depend on the rank already
        # One machine, on any cluster: to resume, the user runs the same command again.
        plugins=[LightningEnvironment()],
        precision=spec.precision,  # type: ignore[arg-type]
        max_epochs=spec.max_epochs,
        accumulate_grad_batches=spec.accumulate_grad_batches,
        gradient_clip_val=spec.gradient_clip_val,
        fast_dev_run=spec.fast_dev_run,
        limit_train_batches=spec.limit_train_batches,
        # On a GPU some operations have no deterministic form; torch warns of them.
        deterministic=True if device.type == "cpu" else "warn",
        callbacks=callbacks,
        logger=list(loggers) or False,
        log_every_n_steps=1,  # all values are logged once per epoch
        num_sanity_val_steps=0,
        enable_checkpointing=True,
        enable_progress_bar=any(isinstance(c, ProgressBar) for c in callbacks),
        enable_model_summary=False,
    )


@contextmanager
def _as_exceptions() -> Iterator[None]:
    """Turn the end of the process, which Lightning causes on a signal, into an exception."""
    try:
        yield
    except SIGTERMException as error:
        raise TrainingInterrupted(STOPPED) from error
    except (ProcessRaisedException, ProcessExitedException) as error:
        raise rank_error(error) from error
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise TrainingError(f"training ended the process with code {error.code}") from error


def _load_kept(
    module: Classifier, spec: FitSpec, folder: Path
) -> tuple[Path | None, int, float | None]:
    if spec.fast_dev_run:
        return None, 0, None
    path = folder / (BEST if spec.keep == "best" else LAST)
    checkpoint = read_checkpoint(path)
    load_net(module.net, checkpoint, path)
    best = checkpoint["callbacks"][KeepLastAndBest.__qualname__]["best_top1"]
    return path, checkpoint["epoch"], best if best > float("-inf") else None
