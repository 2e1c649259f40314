r"""Distillation: the quantized network learns the outputs of the float network.

Hinton, Vinyals & Dean 2015, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531,
section 2, with teacher logits v, student logits z and temperature T:

    L = (1 - a) CE(z, labels) + a T^2 KL(softmax(v / T) || softmax(z / T))

Features, as in Romero et al. 2015 (FitNets), arXiv:1412.6550, Eq. 3, but without a regressor, since
both networks have the same shapes:

    L_features = mean over names of ||f_student - f_teacher||^2 / ||f_teacher||^2

Cites: hinton2015distillation, romero2015fitnets.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qat.base.errors import InputError, UnknownNameError
from qat.training.aids.spec import DistillationSpec


class Distillation:
    """The distilled loss of a batch.

    Args:
        teacher: The float network; it is not trained.
        spec: Shares and names.

    Raises:
        UnknownNameError: If the teacher has no module of a name.
    """

    def __init__(self, teacher: nn.Module, spec: DistillationSpec) -> None:
        self.spec = spec
        self.teacher = teacher.eval().requires_grad_(False)
        check_names(teacher, spec.features)

    def __call__(self, loss: Tensor, logits: Tensor, images: Tensor, seen: "Features") -> Tensor:
        """The loss with its distilled part.

        Args:
            loss: Cross entropy of the student, a scalar.
            logits: Of the student, ``(batch, classes)``.
            images: ``(batch, channels, height, width)``.
            seen: Features of the student in this forward pass; empty without features.

        Raises:
            InputError: If teacher and student have different numbers of classes.
        """
        self.teacher.to(images.device)
        with torch.no_grad(), features_of(self.teacher, self.spec.features) as own:
            target = self.teacher(images)
        if target.shape != logits.shape:
            raise InputError(
                f"the teacher has {target.shape[1]} classes and the student {logits.shape[1]}: "
                "distill from a network of the same classes"
            )
        share = self.spec.weight
        total = (1 - share) * loss
        if share:
            total = total + share * softened_divergence(logits, target, self.spec.temperature)
        if self.spec.features:
            total = total + self.spec.feature_weight * feature_distance(seen, own)
        return total


Features = dict[str, Tensor]
"""Name of a module → its output."""


def softened_divergence(logits: Tensor, target: Tensor, temperature: float) -> Tensor:
    """``T^2 KL(softmax(target / T) || softmax(logits / T))``, the mean of a batch, in nats.

    Args:
        logits: Of the student, ``(batch, classes)``.
        target: Logits of the teacher, of the same shape.
        temperature: ``T``.

    Example:
        >>> z = torch.tensor([[0.0, 1.0]])
        >>> float(softened_divergence(z, z, 4.0))
        0.0
    """
    student, teacher = (F.log_softmax(x / temperature, dim=1) for x in (logits, target))
    return temperature**2 * F.kl_div(student, teacher, reduction="batchmean", log_target=True)


def feature_distance(student: Features, teacher: Features) -> Tensor:
    """Mean of the squared distances, each relative to the square of the teacher's feature.

    Args:
        student: Its features by name.
        teacher: Features of the same names.
    """
    tiny = torch.finfo(torch.float32).tiny
    terms = [
        (student[name] - f).square().sum() / f.square().sum().clamp(min=tiny)
        for name, f in teacher.items()
    ]
    return torch.stack(terms).mean()


@contextmanager
def features_of(net: nn.Module, names: Sequence[str]) -> Iterator[Features]:
    """Collect the outputs of modules in a forward pass inside the block.

    Args:
        net: The network.
        names: Names of its modules.
    """
    features: Features = {}

    def keep(name: str) -> Any:
        return lambda module, args, output: features.__setitem__(name, output)

    hooks = [net.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    try:
        yield features
    finally:
        for hook in hooks:
            hook.remove()


def check_names(net: nn.Module, names: Sequence[str]) -> None:
    """Check that a network has the modules whose outputs are compared.

    Args:
        net: The network.
        names: Of ``distill.features``.

    Raises:
        UnknownNameError: If it has no module of a name; the message names some that it has.
    """
    known = [name for name, _ in net.named_modules() if name]
    for name in names:
        if name not in known:
            raise UnknownNameError(
                f"distill.features: the network has no module {name!r}; it has "
                f"{', '.join(known[:12])}{', ...' if len(known) > 12 else ''}"
            )
