"""Fit a network on a run's data: the float one from scratch, the quantized one from there."""

import os
from collections.abc import Sequence
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from torch import nn

from qat.config.modes import trains
from qat.config.training_specs import (
    float_fit_spec,
    optimizer_spec,
    quantized_fit_spec,
    schedule_spec,
)
from qat.core.kernels import choose_kernel, set_kernel
from qat.data.batches import Batches
from qat.graph.shapes import layer_calls
from qat.records.file_names import HISTORY_NAME
from qat.run.loggers import make_logger
from qat.run.prepare import Prepared
from qat.run.training_progress import TrainingProgress
from qat.tracking.validation import BestAndLast
from qat.training.checkpoints import find_resumable
from qat.training.classifier import Classifier, FloatClassifier
from qat.training.errors import TrainingError
from qat.training.fit import FitResult, fit
from qat.training.history import QuantizerHistory
from qat.training.loaders import check_share
from qat.training.qat import QATClassifier
from qat.training.signs import WatchSigns
from qat.training.specs import FitSpec


def fit_float(prepared: Prepared, net: nn.Module, folder: Path) -> FitResult:
    """Train the float network in place, as ``float.*`` says; goes on where it was cut off."""
    settings = prepared.config.float
    spec = float_fit_spec(prepared.config)
    module = FloatClassifier(
        net, optimizer_spec(settings.optimizer), schedule_spec(settings.schedule)
    )
    set_kernel("eager")
    try:
        return _fit(
            prepared, module, spec, folder, "float training", settings.batch_size, settings.seed
        )
    except TrainingError as error:
        raise type(error)(f"float network (keys under float.): {error}") from error


def fit_quantized(prepared: Prepared, qnet: nn.Module, folder: Path) -> list[str]:
    """Train a calibrated network in place, as ``trainer.*`` says, in the kernel that repays.

    Returns:
        What it warns of.
    """
    config, settings = prepared.config, prepared.config.trainer
    spec = quantized_fit_spec(config)
    module = QATClassifier(qnet, optimizer_spec(config.optimizer), schedule_spec(config.schedule))
    # Compiled code is kept with all else that is made once; torch reads this when it compiles.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(Path(config.paths.cache) / "compiled"))
    set_kernel(chosen_kernel(prepared, qnet))
    signs = WatchSigns()
    try:
        _fit(
            prepared,
            module,
            spec,
            folder,
            "quantized training",
            settings.batch_size,
            config.seed,
            [signs],
        )
    finally:
        set_kernel("eager")
    return [f"training: {clip}" for clip in signs.found.values()]


def chosen_kernel(prepared: Prepared, net: nn.Module) -> str:
    """The kernel that quantized training runs in; eager where there is none.

    Args:
        prepared: The request.
        net: Float or quantized: both have the same layers.
    """
    if not trains(prepared.config):
        return "eager"
    return choose_kernel(prepared.config.kernel, _elements_to_come(prepared, net))


def _fit(
    prepared: Prepared,
    module: Classifier,
    spec: FitSpec,
    folder: Path,
    description: str,
    batch_size: int,
    seed: int,
    more: Sequence[L.Callback] = (),
) -> FitResult:
    data = prepared.data

    # Not a lambda: it goes along to the processes of a distributed training.
    train_batches = Batches(
        data.training,
        batch_size,
        data.preprocess,
        augment=prepared.augment,
        shuffle=True,
        seed=seed,
    ).at_epoch
    check_share(len(data.training) % batch_size or batch_size, spec.devices)
    assert data.val is not None  # data.val_fraction is above 0
    validation = Batches(data.val, prepared.config.evaluate.batch_size, data.preprocess)
    return fit(
        module,
        train_batches,
        validation,
        spec,
        folder,
        seed=seed,
        loggers=_loggers(prepared, description, folder),
        callbacks=[
            TrainingProgress(description),
            BestAndLast(),
            *_history(prepared, module),
            *more,
        ],
    )


def _history(prepared: Prepared, module: Classifier) -> list[L.Callback]:
    every = prepared.config.tracking.history_every
    if not every or not isinstance(module, QATClassifier):
        return []
    return [QuantizerHistory(every, prepared.folder / HISTORY_NAME)]


def _loggers(prepared: Prepared, description: str, checkpoints: Path) -> Sequence[Logger]:
    """Curves of the quantized training; what was drawn past the last checkpoint is drawn anew."""
    if description != "quantized training":
        return ()
    extra = make_logger(prepared)
    loggers = [extra] if extra is not None else []
    if not prepared.config.tracking.tensorboard:
        return loggers
    resumable = find_resumable(checkpoints)
    purge_step = resumable[1]["global_step"] if resumable else None
    folder = str(prepared.folder)
    return [TensorBoardLogger(folder, name="tb", version="", purge_step=purge_step), *loggers]


def _elements_to_come(prepared: Prepared, net: nn.Module) -> float:
    example = prepared.example()
    activations = sum(
        torch.Size(call.input_shape).numel()
        for call in layer_calls(net, example)
        if call.kind.removeprefix("Quant") in ("Conv1d", "Conv2d", "Linear")
    )
    images = len(prepared.data.training) * prepared.config.trainer.max_epochs
    return activations / len(example) * images
