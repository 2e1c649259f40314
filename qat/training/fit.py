"""Train a classifier, from where it was left if it was left."""

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
from qat.training.device import resolve_device
from qat.training.distributed import RankSetup, check_devices, make_strategy, rank_error
from qat.training.errors import TrainingError, TrainingInterrupted
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
from qat.training.phases import FreezeBatchNorm, FreezeObservers
from qat.training.repeatable import SeedEachBatch, repeatable
from qat.training.specs import FitSpec, check_course
from qat.training.step import make_step


@dataclass(frozen=True)
class FitResult:
    """What came of a training.

    Attributes:
        checkpoint: File the network's weights are now of; None after ``fast_dev_run``.
        kept: ``best`` or ``last``, what ``checkpoint`` is.
        epoch: The epoch it was written after, from 0.
        val_top1: Validation accuracy of the best epoch; None without a validation set.
        epochs: Epochs trained in all.
        resumed_from: Epochs that were done before this call.
        seconds: This call took.
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
    """Train ``module.net`` in place; it ends in evaluation mode, on the device it came on.

    After every epoch ``last.ckpt`` is written and, where it is the best yet, ``best.ckpt``. Called
    again with the same arguments it goes on from the last finished epoch and ends in the same
    weights, bit for bit, as if nothing had happened; of a finished training it loads the result.

    With ``spec.devices`` above 1 each of so many processes takes its part of every batch, and a
    step equals that of one process but for the order of sums. They are spawned: a script that
    calls this needs ``if __name__ == "__main__":``, and what it passes must pickle, so
    ``train_batches`` is a function of a module or a ``functools.partial`` of one.

    Args:
        module: Network, optimizer, schedule.
        train_batches: Epoch, from 0, to its ``(images, labels)``; a function of it alone.
        val_batches: What chooses the best epoch; gone through once an epoch. Never the test set.
        spec: How long and how.
        folder: Of the checkpoints.
        seed: Of what is drawn while training, dropout say; the data have their own.
        loggers: Lightning's loggers.
        callbacks: Further ones, a progress bar say.

    Raises:
        ValueError: If ``spec`` asks for what is not there: a device, a validation set.
            With ``spec.devices`` above 1, which see, if a batch has fewer images than that.
        TrainingError: If the loss becomes NaN or infinite.
        CheckpointError: If the folder holds checkpoints of another network.
        TrainingInterrupted: On SIGTERM.
    """
    started = time.perf_counter()
    _check(module, val_batches, spec)
    folder.mkdir(parents=True, exist_ok=True)
    resumable = None if spec.fast_dev_run else find_resumable(folder)
    done = 0
    if resumable is not None:
        check_fits(module.net, resumable[1], resumable[0])
        done = resumable[1]["epoch"] + 1
    if done < spec.max_epochs:
        trainer_callbacks = [*_callbacks(spec, folder, seed), *callbacks]
        resume = resumable[0] if resumable else None
        _train(module, train_batches, val_batches, spec, trainer_callbacks, loggers, resume)
    check_weights(module.net)
    path, epoch, top1 = _load_kept(module, spec, folder)
    module.net.eval()
    seconds = time.perf_counter() - started
    return FitResult(path, spec.keep, epoch, top1, max(done, spec.max_epochs), done, seconds)


def _check(module: Classifier, val_batches: SizedBatches | None, spec: FitSpec) -> None:
    if spec.keep == "best" and val_batches is None:
        raise InputError(
            "trainer.keep=best needs a validation set to choose by: "
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
    return [SeedEachBatch(seed), StopOnNonFinite(), *phases, KeepLastAndBest(folder)]


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
    home = next((p.device for p in module.net.parameters()), device)
    with quiet(), repeatable(device), _as_exceptions():
        module.step = make_step(spec.compile)
        trainer = _trainer(spec, device, callbacks, loggers)
        module.train()  # Lightning keeps the modes that it finds
        train: SizedBatches = EpochBatches(train_batches, CurrentEpoch(trainer))
        # A list would be taken for several loaders; so it too comes wrapped.
        val: SizedBatches | None = None if val_batches is None else Wrapped(val_batches)
        if spec.devices > 1:
            module.cpu()  # each process takes its copy to a device of its own
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
        use_distributed_sampler=False,  # batches know their ranks
        # One machine, whatever cluster it runs on: resuming is by the same command again.
        plugins=[LightningEnvironment()],
        precision=spec.precision,  # type: ignore[arg-type]
        max_epochs=spec.max_epochs,
        accumulate_grad_batches=spec.accumulate_grad_batches,
        gradient_clip_val=spec.gradient_clip_val,
        fast_dev_run=spec.fast_dev_run,
        limit_train_batches=spec.limit_train_batches,
        # Not everything has a repeatable form on a GPU: there torch says what has not.
        deterministic=True if device.type == "cpu" else "warn",
        callbacks=callbacks,
        logger=list(loggers) or False,
        log_every_n_steps=1,  # all that is logged is logged once an epoch
        num_sanity_val_steps=0,
        enable_checkpointing=True,
        enable_progress_bar=any(isinstance(c, ProgressBar) for c in callbacks),
        enable_model_summary=False,
    )


@contextmanager
def _as_exceptions() -> Iterator[None]:
    """Lightning ends the process on a signal; to a caller that would look like success."""
    try:
        yield
    except SIGTERMException as error:
        raise TrainingInterrupted(
            "training was told to end (SIGTERM); the same command goes on from the last epoch"
        ) from error
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
