"""Learning the rounding of weights so that a part of the network gives its float output again.

The optimisation that AdaRound, BRECQ and QDrop share:

    minimise over v:    data loss + strength * penalty(h(v), beta)

by Adam, with batches of the calibration images that are a function of seed and iteration. The data
loss is the caller's; the penalty is Eq. 24 of AdaRound (:mod:`qat.ptq.soft_rounding`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.ptq.soft_rounding import SoftRounding, annealed
from qat.ptq.work import Tracker, untracked

_CHECKED_EVERY = 100  # iterations; counting the undecided weights reads all of them
_MIX = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: neighbouring iterations get unlike seeds


@dataclass(frozen=True)
class Effort:
    """How long and how fast is learned.

    Attributes:
        iterations: Steps of Adam for each layer or block.
        batch_size: Calibration images in each step.
        learning_rate: Of ``v``.
        step_learning_rate: Of activations' steps, where a method learns them.
        strength: Factor of the penalty.
        warm_up: Share of the iterations without penalty.
        first_beta: Exponent of the penalty after the warm-up.
        last_beta: Exponent at the end.

    Raises:
        InputError: If a value is out of its range.
    """

    iterations: int
    batch_size: int = 32
    learning_rate: float = 1e-3
    step_learning_rate: float = 4e-5
    strength: float = 0.01
    warm_up: float = 0.2
    first_beta: float = 20.0
    last_beta: float = 2.0

    def __post_init__(self) -> None:
        for name in ("iterations", "batch_size", "learning_rate", "first_beta", "last_beta"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be above 0, got {getattr(self, name)}")
        if not 0 <= self.warm_up < 1:
            raise InputError(f"warm_up must be at least 0 and below 1, got {self.warm_up}")

    def beta(self, iteration: int) -> float | None:
        """Exponent of the penalty; None while there is no penalty."""
        return annealed(iteration, self.iterations, self.warm_up, self.first_beta, self.last_beta)


@dataclass(frozen=True)
class Result:
    """What a reconstruction did.

    Attributes:
        iterations: Steps of Adam that ran.
        first_loss: Data loss of the first batch.
        last_loss: Data loss of the last batch.
        undecided: Weights that the last step left between two codes.
    """

    iterations: int
    first_loss: float
    last_loss: float
    undecided: int


def generator_of(seed: int, iteration: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Random numbers that are a function of seed and iteration.

    Args:
        seed: Of the layer or block.
        iteration: From 0.
        device: Where the numbers are drawn.
    """
    mixed = (seed + (iteration + 1) * _MIX) % 2**63
    return torch.Generator(device).manual_seed(mixed)


def reconstruct(
    data_loss: Callable[[Tensor, int], Tensor],
    roundings: Sequence[SoftRounding],
    effort: Effort,
    images: int,
    seed: int,
    steps: Sequence[nn.Parameter] = (),
    track: Tracker = untracked,
) -> Result:
    """Learn roundings, and steps of activations if there are any, in place.

    It stops early when every weight is decided and no step is learned: the gradient of ``h`` is
    then 0 everywhere, so that nothing changes any more.

    Args:
        data_loss: From the indices of a batch and the iteration to a scalar.
        roundings: What stands for the weights' quantizers; they begin at their present state.
        effort: Iterations, batch and rates.
        images: Number of calibration images.
        seed: Of the batches.
        steps: Parameters of activations' quantizers.
        track: Shows the progress.
    """
    optimizer = _optimizer(roundings, steps, effort)
    first = last = None
    done = 0
    with torch.enable_grad():
        for iteration in track("iterations", range(effort.iterations)):
            optimizer.zero_grad()
            chosen = _batch(images, effort.batch_size, generator_of(seed, iteration))
            last = data_loss(chosen, iteration)
            first = last.detach() if first is None else first
            last.backward()
            _push(roundings, effort, iteration)
            optimizer.step()
            done += 1
            if not steps and done % _CHECKED_EVERY == 0 and not _undecided(roundings):
                break
    assert first is not None
    assert last is not None
    return Result(done, float(first), float(last.detach()), _undecided(roundings))


def squared_error(output: Tensor, target: Tensor, axis: int) -> Tensor:
    """Squared error, summed over the channels and averaged over images and pixels.

    Args:
        output: ``(batch, channels, ...)``.
        target: Of the same shape.
        axis: The axis of the channels.
    """
    factor = output.shape[axis] / output.numel()
    error: Tensor = _SquaredDistance.apply(output, target, factor)
    return error


class _SquaredDistance(torch.autograd.Function):
    """``factor * |output - target|^2``, whose gradient has the memory format of the output.

    That of ``F.mse_loss`` has not, which makes the convolutions behind it slower.
    """

    @staticmethod
    def forward(ctx: Any, output: Tensor, target: Tensor, factor: float) -> Tensor:  # type: ignore[override]
        difference = output - target
        ctx.save_for_backward(difference)
        ctx.factor = factor
        return torch.linalg.vector_norm(difference).square() * factor

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        (difference,) = ctx.saved_tensors
        return difference * (2 * ctx.factor * grad), None, None


def channel_axis(output: Tensor) -> int:
    """The axis of the channels: the last of ``(batch, tokens, channels)``, else the second."""
    return 2 if output.ndim == 3 else 1


def _optimizer(
    roundings: Sequence[SoftRounding], steps: Sequence[nn.Parameter], effort: Effort
) -> torch.optim.Adam:
    groups = [{"params": [each.logits for each in roundings], "lr": effort.learning_rate}]
    if steps:
        groups.append({"params": list(steps), "lr": effort.step_learning_rate})
    return torch.optim.Adam(groups, fused=True)


def _batch(images: int, size: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(images, generator=generator)[:size]


def _push(roundings: Sequence[SoftRounding], effort: Effort, iteration: int) -> None:
    beta = effort.beta(iteration)
    if beta is not None:
        for rounding in roundings:
            rounding.add_penalty_gradient(effort.strength, beta)


def _undecided(roundings: Sequence[SoftRounding]) -> int:
    return sum(each.undecided() for each in roundings)
