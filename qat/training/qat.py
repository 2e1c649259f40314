"""Quantization-aware training (QAT)."""

from collections.abc import Sequence

from torch import Tensor, nn

from qat.training.aids.distillation import Distillation, Features, features_of
from qat.training.aids.penalty import Penalty
from qat.training.classifier import Classifier
from qat.training.optimizers import ParameterGroup, quantizer_groups
from qat.training.specs import OptimizerSpec, ScheduleSpec


class QATClassifier(Classifier):
    """Trains a quantized network: steps and clips have their own learning rate and decay.

    Logs ``train/NAME`` of each penalty and ``train/distilled_loss``, means of an epoch.

    Args:
        net: The quantized network.
        optimizer: Optimizer, learning rates and weight decay.
        schedule: Schedule of the learning rates; None for constant rates.
        label_smoothing: In training only, 0 to 1.
        distillation: Distills a part of the loss; None distills nothing.
        penalties: Terms that are added to the loss.
    """

    def __init__(
        self,
        net: nn.Module,
        optimizer: OptimizerSpec,
        schedule: ScheduleSpec | None = None,
        label_smoothing: float = 0.0,
        distillation: Distillation | None = None,
        penalties: Sequence[Penalty] = (),
    ) -> None:
        super().__init__(net, optimizer, schedule, label_smoothing)
        self.distillation, self.penalties = distillation, tuple(penalties)
        self._features: Features = {}

    @property
    def reads_features(self) -> bool:
        """True if outputs of modules inside the network are compared."""
        return self.distillation is not None and bool(self.distillation.spec.features)

    def parameter_groups(self) -> list[ParameterGroup]:
        """The network's own parameters, then those of its quantizers."""
        return [*super().parameter_groups(), *quantizer_groups(self.net, self.optimizer)]

    def loss_and_logits(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """As the base; keeps the outputs of the modules that are distilled.

        Args:
            images: ``(batch, channels, height, width)``.
            labels: int64 ``(batch,)``.
        """
        names = self.distillation.spec.features if self.distillation is not None else ()
        with features_of(self.net, names) as self._features:
            return super().loss_and_logits(images, labels)

    def whole_loss(self, loss: Tensor, logits: Tensor, images: Tensor) -> Tensor:
        """The loss with its distilled part and all penalties.

        Args:
            loss: Mean cross entropy.
            logits: Of the batch.
            images: Of the batch.
        """
        if self.distillation is not None:
            loss = self.distillation(loss, logits, images, self._features)
            self._note("distilled_loss", loss)
        for penalty in self.penalties:
            steps = int(self.trainer.estimated_stepping_batches)
            term = penalty(self.net, self.trainer.global_step, steps)
            self._note(penalty.name, term)
            loss = loss + term
        return loss

    def _note(self, name: str, value: Tensor) -> None:
        value = value.detach()
        self.log(f"train/{name}", value, on_step=False, on_epoch=True, batch_size=1)
