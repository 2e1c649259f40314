"""From the typed configuration to the specifications of trainings. Loads no torch."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from qat.base.errors import InputError
from qat.config.modes import trains
from qat.config.schema import OptimizerConfig, RunConfig, ScheduleConfig
from qat.training.aids.spec import AidsSpec, DistillationSpec
from qat.training.specs import FitSpec, OptimizerSpec, ScheduleSpec, check_course

_FLOAT_KEYS = {
    "optimizer=": "optimizer@float.optimizer=",
    "schedule=": "schedule@float.schedule=",
    "optimizer.": "float.optimizer.",
    "schedule.": "float.schedule.",
    "trainer.max_epochs": "float.epochs",
    "trainer.": "float.",
}


def check_training(config: RunConfig) -> None:
    """Check the specifications of all trainings of a run, of the float network's too.

    Raises:
        ValueError: If one is not allowed; the message has the keys as the user types them.
    """
    if trains_float(config):
        with renamed(_FLOAT_KEYS):
            spec, schedule = float_fit_spec(config), schedule_spec(config.float.schedule)
            check_course(schedule, optimizer_spec(config.float.optimizer).lr, spec)
    if trains(config):
        spec, schedule = quantized_fit_spec(config), schedule_spec(config.schedule)
        check_course(schedule, optimizer_spec(config.optimizer).lr, spec)


def trains_float(config: RunConfig) -> bool:
    """Whether the run trains the float network; if not, it loads trained weights."""
    return config.model.checkpoint is None and config.model.weights is None


def optimizer_spec(config: OptimizerConfig) -> OptimizerSpec:
    """The specification of an optimizer.

    Raises:
        ValueError: If a value is not allowed.
    """
    return OptimizerSpec(
        name=config.name,
        lr=config.lr,
        momentum=config.momentum,
        nesterov=config.nesterov,
        weight_decay=config.weight_decay,
        betas=(config.betas[0], config.betas[1]),
        step_lr=config.step_lr,
        step_weight_decay=config.step_weight_decay,
    )


def schedule_spec(config: ScheduleConfig) -> ScheduleSpec:
    """The specification of a learning-rate schedule.

    Raises:
        ValueError: If a value is not allowed.
    """
    return ScheduleSpec(
        name=config.name,
        warmup_epochs=config.warmup_epochs,
        step_size=config.step_size,
        gamma=config.gamma,
        milestones=tuple(config.milestones),
        min_lr=config.min_lr,
    )


def float_fit_spec(config: RunConfig) -> FitSpec:
    """The specification of the float network's training.

    Raises:
        ValueError: If a value is not allowed.
    """
    settings = config.float
    return FitSpec(
        max_epochs=settings.epochs,
        accelerator=settings.accelerator,
        precision=settings.precision,
        keep=settings.keep,
    )


def quantized_fit_spec(config: RunConfig) -> FitSpec:
    """The specification of the quantized network's training.

    Raises:
        ValueError: If a value is not allowed.
    """
    settings = config.trainer
    return FitSpec(
        max_epochs=settings.max_epochs,
        accelerator=settings.accelerator,
        precision=settings.precision,
        accumulate_grad_batches=settings.accumulate_grad_batches,
        gradient_clip_val=settings.gradient_clip_val,
        fast_dev_run=settings.fast_dev_run,
        compile=settings.compile,
        keep=settings.keep,
        freeze_observers_at=settings.freeze_observers_at,
        freeze_batch_norm_at=freeze_batch_norm_at(config),
        devices=settings.devices,
    )


def aids_spec(config: RunConfig) -> AidsSpec:
    """The specification of the aids of the quantized training.

    Raises:
        ValueError: If a value is not allowed.
    """
    widths = tuple(config.aids.progressive_bits)
    return AidsSpec(**{**vars(config.aids), "progressive_bits": widths})


def distillation_spec(config: RunConfig) -> DistillationSpec:
    """The specification of what is distilled from the float network.

    Raises:
        ValueError: If a value is not allowed.
    """
    settings = config.distill
    return DistillationSpec(
        settings.weight, settings.temperature, tuple(settings.features), settings.feature_weight
    )


def freeze_batch_norm_at(config: RunConfig) -> int | None:
    """First epoch in which the statistics of batch norms are fixed; None if they never are.

    An integer network folds batch norms. By default, their statistics follow the data during the
    first half of its training.
    """
    epoch = config.trainer.freeze_batch_norm_at
    if epoch is None and config.scheme.placement == "integer":
        return config.trainer.max_epochs // 2
    return epoch


@contextmanager
def renamed(keys: Mapping[str, str]) -> Iterator[None]:
    """Replace keys in the messages of errors that the block raises.

    The checks of trainings name the keys of the quantized training; the float network's training
    has other keys.

    Args:
        keys: Key in messages → key to show.

    Raises:
        InputError: The error of the block, with the other keys.
    """
    try:
        yield
    except InputError as error:
        raise type(error)(with_keys(str(error), keys)) from error


def with_keys(text: str, keys: Mapping[str, str]) -> str:
    """A text with keys replaced; a replacement is not replaced again.

    Args:
        text: The text.
        keys: Key in the text → key to show. Of two keys that fit, the first one counts.

    Example:
        >>> with_keys("optimizer.lr is above 1", {"optimizer.": "float.optimizer."})
        'float.optimizer.lr is above 1'
    """
    pattern = re.compile("|".join(rf"(?<![\w.@]){re.escape(key)}" for key in keys))
    return pattern.sub(lambda match: keys[match.group()], text)
