"""The parts that a training's aids consist of, from their settings."""

import lightning as L
from torch import nn

from qat.training.aids.averaging import AverageWeights
from qat.training.aids.bins import BinRegularization
from qat.training.aids.dampening import Dampening
from qat.training.aids.distillation import Distillation
from qat.training.aids.freezing import FreezeOscillating
from qat.training.aids.penalty import Penalty
from qat.training.aids.spec import AidsSpec, DistillationSpec


def penalties(spec: AidsSpec) -> tuple[Penalty, ...]:
    """The terms that are added to the loss.

    Example:
        >>> [penalty.name for penalty in penalties(AidsSpec(dampening=0.1))]
        ['dampening']
    """
    terms: list[Penalty] = []
    if spec.dampening is not None:
        terms.append(Dampening(spec.dampening))
    if spec.bin_regularization is not None:
        terms.append(BinRegularization(spec.bin_regularization))
    return tuple(terms)


def callbacks(spec: AidsSpec) -> list[L.Callback]:
    """The callbacks, in their order: a weight is frozen before it is averaged."""
    chosen: list[L.Callback] = []
    if spec.freeze_first is not None:
        chosen.append(FreezeOscillating(spec.freeze_first, spec.freeze_last, spec.freeze_momentum))
    if spec.average_decay is not None:
        chosen.append(AverageWeights(spec.average_decay))
    return chosen


def distillation(teacher: nn.Module, spec: DistillationSpec) -> Distillation | None:
    """The distilled loss; None if nothing is distilled.

    Args:
        teacher: The float network; it is not changed, since a copy of it teaches.
        spec: Shares and names.

    Raises:
        UnknownNameError: If the network has no module of a name.
    """
    return Distillation(teacher, spec) if spec.is_on else None
