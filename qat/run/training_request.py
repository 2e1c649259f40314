"""How a network of a run is trained, as plain values."""

from dataclasses import dataclass

from qat.config.schema import RunConfig
from qat.config.training_specs import (
    float_fit_spec,
    optimizer_spec,
    quantized_fit_spec,
    schedule_spec,
)
from qat.data.augment import Augment
from qat.data.batches import Batches
from qat.data.bundle import DataBundle
from qat.training.specs import FitSpec, OptimizerSpec, ScheduleSpec


@dataclass(frozen=True)
class TrainingRequest:
    """One training.

    Attributes:
        optimizer: Name and constants.
        schedule: Of the learning rate.
        fit: Epochs, precision, devices, which checkpoint is kept.
        batch_size: Training images in a batch.
        seed: Of order and augmentation.
        augment: What happens to training images; None for nothing.
        validation_batch_size: Validation images in a batch.
    """

    optimizer: OptimizerSpec
    schedule: ScheduleSpec
    fit: FitSpec
    batch_size: int
    seed: int
    augment: Augment | None
    validation_batch_size: int

    def batches(self, data: DataBundle) -> Batches:
        """Training batches of the first epoch."""
        return Batches(
            data.training,
            self.batch_size,
            data.preprocess,
            augment=self.augment,
            shuffle=True,
            seed=self.seed,
        )

    def validation(self, data: DataBundle) -> Batches:
        """The validation part, in its order."""
        assert data.val is not None  # data.val_fraction is above 0
        return Batches(data.val, self.validation_batch_size, data.preprocess)


def float_training_request(config: RunConfig) -> TrainingRequest:
    """How the float network is trained."""
    settings = config.float
    return TrainingRequest(
        optimizer_spec(settings.optimizer),
        schedule_spec(settings.schedule),
        float_fit_spec(config),
        settings.batch_size,
        settings.seed,
        augmentation(config),
        config.evaluate.batch_size,
    )


def quantized_training_request(config: RunConfig) -> TrainingRequest:
    """How the quantized network is trained."""
    return TrainingRequest(
        optimizer_spec(config.optimizer),
        schedule_spec(config.schedule),
        quantized_fit_spec(config),
        config.trainer.batch_size,
        config.seed,
        augmentation(config),
        config.evaluate.batch_size,
    )


def augmentation(config: RunConfig) -> Augment | None:
    """What training does to images; None for nothing."""
    settings = config.data.augment
    return Augment(settings.pad, settings.flip) if settings.pad or settings.flip else None
