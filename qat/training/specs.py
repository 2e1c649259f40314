"""Settings of a training, as frozen data that checks itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.core.optimizers import OPTIMIZERS

SCHEDULES: Mapping[str, tuple[str, ...]] = {
    "constant": (),
    "step": ("step_size", "gamma"),
    "multistep": ("milestones", "gamma"),
    "cosine": ("min_lr",),
}
"""Name → settings that only this schedule reads."""
ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps")
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
COMPILES = ("none", "model")
KEEPS = ("best", "last")


@dataclass(frozen=True)
class OptimizerSpec:
    """An optimizer and its learning rates.

    Attributes:
        name: ``sgd``, ``adam`` or ``adamw``.
        lr: Learning rate of the network's own parameters.
        momentum: For sgd only.
        nesterov: Nesterov momentum, for sgd only; needs momentum.
        weight_decay: Of the network's own parameters.
        betas: For adam and adamw.
        step_lr: Learning rate of quantizer parameters (steps, clips); None for ``lr``.
        step_weight_decay: Of quantizer parameters.
        decay_norm_and_bias: If true, batch-norm parameters and biases have weight decay too, as in
            the CIFAR papers; if false, parameters of fewer than two axes have none.

    Raises:
        ValueError: If a value, or a combination, is not allowed.

    Example:
        >>> OptimizerSpec("sgd", lr=0.1, momentum=0.9).momentum
        0.9
        >>> OptimizerSpec(lr=0.0)
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: optimizer.lr must be above 0 and finite, got 0.0
    """

    name: str = "sgd"
    lr: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    step_lr: float | None = None
    step_weight_decay: float = 0.0
    decay_norm_and_bias: bool = True

    def __post_init__(self) -> None:
        """Check each value, then the combinations."""
        one_of("optimizer.name", self.name, OPTIMIZERS)
        if not 0 < self.lr < float("inf"):
            raise InputError(f"optimizer.lr must be above 0 and finite, got {self.lr}")
        if self.step_lr is not None:
            _at_least("optimizer.step_lr", self.step_lr, 0)
        _at_least("optimizer.weight_decay", self.weight_decay, 0)
        _at_least("optimizer.step_weight_decay", self.step_weight_decay, 0)
        if not 0 <= self.momentum < 1:
            raise InputError(
                f"optimizer.momentum must be 0 or more and below 1, got {self.momentum}"
            )
        object.__setattr__(self, "betas", tuple(self.betas))
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"optimizer.betas must be two numbers in [0, 1), got {self.betas}")
        if self.name != "sgd" and (self.momentum or self.nesterov):
            key = "momentum" if self.momentum else "nesterov"
            raise InputError(
                f"optimizer.{key}={getattr(self, key)} belongs to sgd, not to {self.name}: leave "
                f"it out and write optimizer={self.name}, or take optimizer=sgd"
            )
        if self.nesterov and not self.momentum:
            raise InputError("optimizer.nesterov needs optimizer.momentum above 0")


@dataclass(frozen=True)
class ScheduleSpec:
    """A learning rate schedule, in epochs; it advances with every optimizer step.

    Attributes:
        name: ``constant``, ``step``, ``multistep`` or ``cosine``.
        warmup_epochs: Length of the linear warm-up; may be a fraction.
        step_size: Epochs between two reductions of ``step``.
        gamma: Factor of a reduction.
        milestones: Epochs of the reductions of ``multistep``.
        min_lr: Final rate of ``cosine``; other groups end at the same fraction of their rate.

    Raises:
        ValueError: If a value is not allowed.
    """

    name: str = "constant"
    warmup_epochs: float = 0.0
    step_size: int = 30
    gamma: float = 0.1
    milestones: tuple[int, ...] = ()
    min_lr: float = 0.0

    def __post_init__(self) -> None:
        """Check each value."""
        one_of("schedule.name", self.name, SCHEDULES)
        _at_least("schedule.warmup_epochs", self.warmup_epochs, 0)
        _at_least("schedule.step_size", self.step_size, 1)
        _at_least("schedule.min_lr", self.min_lr, 0)
        if not 0 < self.gamma <= 1:
            raise InputError(f"schedule.gamma must be above 0 and at most 1, got {self.gamma}")
        object.__setattr__(self, "milestones", tuple(self.milestones))
        rising = list(self.milestones) == sorted(set(self.milestones))
        if not rising or any(milestone < 1 for milestone in self.milestones):
            raise InputError(
                f"schedule.milestones must be rising epochs from 1, got {list(self.milestones)}"
            )
        if self.name == "multistep" and not self.milestones:
            raise InputError("schedule multistep needs schedule.milestones, such as [100,150]")


@dataclass(frozen=True)
class FitSpec:
    """Length and settings of a training; names are those of Lightning's Trainer.

    Attributes:
        max_epochs: Epochs of the whole training, resumed ones included.
        accelerator: ``auto`` takes an NVIDIA GPU if there is one.
        precision: ``32-true``, ``bf16-mixed`` or ``16-mixed``.
        accumulate_grad_batches: Batches per optimizer step.
        gradient_clip_val: Largest norm of the gradient; None for no limit.
        fast_dev_run: Run one batch (or this number) as a test; no checkpoint is kept.
        limit_train_batches: Batches per epoch, or a fraction of them; None for all.
        compile: ``model`` compiles the whole training step.
        keep: ``best`` by validation accuracy, or ``last``.
        freeze_observers_at: Epoch, from 0, from which ranges are fixed.
        freeze_batch_norm_at: Epoch, from 0, from which batch-norm statistics are fixed.
        devices: Processes that share each batch, each with a GPU, or all on the CPU.

    Raises:
        ValueError: If a value is not allowed.
    """

    max_epochs: int = 1
    accelerator: str = "auto"
    precision: str = "32-true"
    accumulate_grad_batches: int = 1
    gradient_clip_val: float | None = None
    fast_dev_run: bool | int = False
    limit_train_batches: int | float | None = None
    compile: str = "none"
    keep: str = "best"
    freeze_observers_at: int | None = None
    freeze_batch_norm_at: int | None = None
    devices: int = 1

    def __post_init__(self) -> None:
        """Check each value."""
        _at_least("trainer.max_epochs", self.max_epochs, 1)
        one_of("trainer.accelerator", self.accelerator, ACCELERATORS)
        one_of("trainer.precision", self.precision, PRECISIONS)
        _at_least("trainer.accumulate_grad_batches", self.accumulate_grad_batches, 1)
        one_of("trainer.compile", self.compile, COMPILES)
        _at_least("trainer.devices", self.devices, 1)
        if self.devices > 1 and self.compile != "none":
            raise InputError(
                f"trainer.compile={self.compile} compiles the step of one process, got "
                f"trainer.devices={self.devices}: set trainer.compile=none or trainer.devices=1"
            )
        one_of("trainer.keep", self.keep, KEEPS)
        _at_least("trainer.fast_dev_run", int(self.fast_dev_run), 0)
        for name in ("gradient_clip_val", "limit_train_batches"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"trainer.{name} must be above 0, or null, got {value}")
        for name in ("freeze_observers_at", "freeze_batch_norm_at"):
            if getattr(self, name) is not None:
                _at_least(f"trainer.{name}", getattr(self, name), 0)


def check_course(schedule: ScheduleSpec, lr: float, fit: FitSpec) -> None:
    """Check that a schedule and the phases fit into the length of the training.

    Args:
        schedule: Of the learning rates.
        lr: Initial learning rate.
        fit: Length of the training; a dry run (``fast_dev_run``) has no limit.

    Raises:
        ValueError: If ``min_lr`` is above ``lr``, or an epoch is set that is never reached.
    """
    check_lowest(schedule, lr)
    if fit.fast_dev_run:
        return
    epochs = fit.max_epochs
    if schedule.warmup_epochs >= epochs:
        raise InputError(
            f"schedule.warmup_epochs={schedule.warmup_epochs:g} must be below "
            f"trainer.max_epochs={epochs}: set schedule.warmup_epochs=0, or train longer"
        )
    if schedule.name == "multistep" and max(schedule.milestones) >= epochs:
        _refuse_late(f"schedule.milestones={list(schedule.milestones)}", "milestones", epochs)
    if schedule.name == "step" and schedule.step_size >= epochs:
        _refuse_late(f"schedule.step_size={schedule.step_size}", "step_size", epochs)
    for name in ("freeze_observers_at", "freeze_batch_norm_at"):
        epoch = getattr(fit, name)
        if epoch is not None and epoch >= epochs:
            raise InputError(
                f"trainer.{name}={epoch} is never reached with trainer.max_epochs={epochs}, "
                f"counted from 0: set trainer.{name}=null, or an epoch up to {epochs - 1}"
            )


def check_lowest(schedule: ScheduleSpec, lr: float) -> None:
    """Check that the final rate of a schedule is not above the initial one.

    Args:
        schedule: With ``min_lr``.
        lr: Initial learning rate.

    Raises:
        ValueError: If ``min_lr`` is above ``lr``.
    """
    if schedule.min_lr > lr:
        raise InputError(
            f"schedule.min_lr={schedule.min_lr:g} is above optimizer.lr={lr:g}: set "
            f"schedule.min_lr={lr / 10:g} or lower"
        )


def _refuse_late(setting: str, key: str, epochs: int) -> None:
    middle = epochs // 2
    value = f"[{middle}]" if key == "milestones" else f"{middle}"
    other = f"set schedule.{key}={value}, or take" if middle else "take"
    raise InputError(
        f"{setting} lies outside of trainer.max_epochs={epochs}, so that the rate never falls "
        f"there: {other} schedule=cosine"
    )


def _at_least(name: str, value: float, lowest: float) -> None:
    if not value >= lowest:  # NaN fails too
        raise InputError(f"{name} must be {lowest} or more, got {value}")
