"""Learning rate schedules over optimizer steps.

With ``t`` the step from 0, ``E`` steps per epoch, ``T`` steps in total and ``W`` steps of warm-up,
each rate is multiplied by

    constant    1
    step        gamma ^ floor(t / (step_size E))
    multistep   gamma ^ (number of milestones m with m E <= t)
    cosine      r + (1 - r) (1 + cos(pi (t - W) / (T - W))) / 2,   r = min_lr / lr

and, while ``t < W``, by ``(t + 1) / W`` (cosine is 1 during the warm-up). Cosine: Loshchilov and
Hutter, "SGDR", ICLR 2017, arXiv:1608.03983, Eq. 5, one period. Linear warm-up: Goyal et al. 2017,
arXiv:1706.02677, section 2.2.
"""

import math
from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from qat.training.specs import ScheduleSpec, check_lowest


def rate_factor(
    spec: ScheduleSpec, *, lr: float, steps_per_epoch: int, total_steps: int
) -> Callable[[int], float]:
    """The factor of all learning rates as a function of the optimizer step, from 0.

    Args:
        spec: Kind and settings of the schedule.
        lr: Initial rate; ``min_lr`` is relative to it.
        steps_per_epoch: Optimizer steps, not batches.
        total_steps: Optimizer steps of the whole training.

    Raises:
        ValueError: If ``min_lr`` is above ``lr``.

    Example:
        >>> spec = ScheduleSpec("multistep", milestones=(1, 3), gamma=0.5)
        >>> factor = rate_factor(spec, lr=0.1, steps_per_epoch=10, total_steps=40)
        >>> [factor(step) for step in (0, 10, 39)]
        [1.0, 0.5, 0.25]
    """
    check_lowest(spec, lr)
    warmup = round(spec.warmup_epochs * steps_per_epoch)

    def factor(step: int) -> float:
        rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
        return rise * _decay(spec, step, lr, steps_per_epoch, warmup, total_steps)

    return factor


def make_schedule(
    optimizer: Optimizer, spec: ScheduleSpec, *, lr: float, steps_per_epoch: int, total_steps: int
) -> LambdaLR:
    """A scheduler that is stepped with the optimizer; all groups have the same factor.

    Args:
        optimizer: Its rates are changed.
        spec: Kind and settings of the schedule.
        lr: Initial rate; ``min_lr`` is relative to it.
        steps_per_epoch: Optimizer steps, not batches.
        total_steps: Optimizer steps of the whole training.

    Raises:
        ValueError: If ``min_lr`` is above ``lr``.
    """
    factor = rate_factor(spec, lr=lr, steps_per_epoch=steps_per_epoch, total_steps=total_steps)
    return LambdaLR(optimizer, factor)


def _decay(
    spec: ScheduleSpec, step: int, lr: float, per_epoch: int, warmup: int, total: int
) -> float:
    if spec.name == "step":
        return float(spec.gamma ** (step // (spec.step_size * per_epoch)))
    if spec.name == "multistep":
        return float(spec.gamma ** sum(m * per_epoch <= step for m in spec.milestones))
    if spec.name == "cosine":
        progress = min(max((step - warmup) / max(total - warmup, 1), 0.0), 1.0)
        lowest = spec.min_lr / lr
        return lowest + (1 - lowest) * (1 + math.cos(math.pi * progress)) / 2
    return 1.0
