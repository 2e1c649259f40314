"""Train the networks of a run: the float one from scratch, the quantized one from its weights."""

import copy
import os
from collections.abc import Sequence
from pathlib import Path

import lightning as L
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from torch import nn

from qat.core.kernels import set_kernel
from qat.data.bundle import DataBundle
from qat.records.file_names import HISTORY_NAME
from qat.records.side_files.history import HistoryWriter
from qat.run.kernel import chosen_kernel
from qat.run.loggers import make_logger
from qat.run.prepared import Prepared
from qat.run.request.training import TrainingRequest
from qat.run.training_progress import TrainingProgress
from qat.tracking.validation import BestAndLast
from qat.training.aids.attach import callbacks as aid_callbacks
from qat.training.aids.attach import distillation, penalties
from qat.training.checkpoints import find_resumable
from qat.training.classifier import Classifier, FloatClassifier
from qat.training.errors import TrainingError
from qat.training.fit import FitResult, fit
from qat.training.history import QuantizerHistory
from qat.training.loaders import check_share
from qat.training.qat import QATClassifier
from qat.training.signs import WatchSigns


def fit_float(
    request: TrainingRequest, data: DataBundle, net: nn.Module, folder: Path
) -> FitResult:
    """Train the float network in place; an interrupted training continues.

    Args:
        request: How it is trained.
        data: Training and validation images.
        net: The float network with its initial weights.
        folder: Folder of the training's checkpoints.

    Raises:
        TrainingError: If the training fails; the message names the keys under ``float``.
    """
    module = FloatClassifier(net, request.optimizer, request.schedule)
    set_kernel("eager")
    try:
        return _fit(request, data, module, folder, "float training")
    except TrainingError as error:
        raise type(error)(f"float network (keys under float.): {error}") from error


def fit_quantized(
    prepared: Prepared,
    qnet: nn.Module,
    teacher: nn.Module,
    folder: Path,
    bits: int | None = None,
) -> list[str]:
    """Train a calibrated network in place; compile the kernel if that saves time.

    Args:
        prepared: The run, with how the network is trained.
        qnet: The calibrated network.
        teacher: The float network, from which it may learn.
        folder: Folder of the training's checkpoints.
        bits: Width of a training before the run's own, which has a bar and curves of its own;
            None for the run's own.

    Returns:
        Warnings, one line each.

    Raises:
        TrainingError: If the training fails.
    """
    request = prepared.training
    assert request is not None
    teacher = copy.deepcopy(teacher) if request.distillation.is_on else teacher
    module = QATClassifier(
        qnet,
        request.optimizer,
        request.schedule,
        distillation=distillation(teacher, request.distillation),
        penalties=penalties(request.aids),
    )
    # Compiled code is kept in the cache of the run; torch reads this when it compiles.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(prepared.cache.root / "compiled"))
    set_kernel(chosen_kernel(prepared, qnet))
    signs = WatchSigns()
    aids = aid_callbacks(request.aids)
    is_own = bits is None
    callbacks = [*aids, *(_history(prepared) if is_own else []), signs]
    loggers = _loggers(prepared, folder, "" if is_own else f"bits{bits}")
    title = "quantized training" if is_own else f"training at {bits} bits"
    try:
        _fit(request, prepared.data, module, folder, title, loggers, callbacks)
    finally:
        set_kernel("eager")
    where = "training" if is_own else title
    return [f"{where}: {clip}" for clip in signs.worst.values()]


def _fit(
    request: TrainingRequest,
    data: DataBundle,
    module: Classifier,
    folder: Path,
    description: str,
    loggers: Sequence[Logger] = (),
    callbacks: Sequence[L.Callback] = (),
) -> FitResult:
    size = request.batch_size
    check_share(len(data.training) % size or size, request.fit.devices)
    return fit(
        module,
        # Not a lambda: the processes of a distributed training receive it pickled.
        request.batches(data).at_epoch,
        request.validation(data),
        request.fit,
        folder,
        seed=request.seed,
        loggers=loggers,
        callbacks=[TrainingProgress(description), BestAndLast(), *callbacks],
    )


def _history(prepared: Prepared) -> list[L.Callback]:
    every = prepared.tracking.history_every
    return [QuantizerHistory(every, HistoryWriter(prepared.folder / HISTORY_NAME))] if every else []


def _loggers(prepared: Prepared, checkpoints: Path, version: str) -> Sequence[Logger]:
    """Loggers of the quantized training; points after the last checkpoint are drawn anew.

    A training before the run's own, of another version, has curves in TensorBoard only.
    """
    extra = None if version else make_logger(prepared)
    loggers = [extra] if extra is not None else []
    if not prepared.tracking.tensorboard:
        return loggers
    resumable = find_resumable(checkpoints)
    purge_step = resumable[1]["global_step"] if resumable else None
    folder = str(prepared.folder)
    return [TensorBoardLogger(folder, name="tb", version=version, purge_step=purge_step), *loggers]
