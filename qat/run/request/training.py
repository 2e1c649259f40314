"""How a network of a run is trained: plain values taken from its configuration."""

from dataclasses import dataclass, field

from qat.config.schema import RunConfig
from qat.config.training_specs import (
    aids_spec,
    distillation_spec,
    float_fit_spec,
    optimizer_spec,
    quantized_fit_spec,
    schedule_spec,
)
from qat.data.augment import Augment
from qat.data.batches import Batches
from qat.data.bundle import DataBundle
from qat.training.aids.spec import AidsSpec, DistillationSpec
from qat.training.specs import FitSpec, OptimizerSpec, ScheduleSpec


@dataclass(frozen=True)
class TrainingRequest:
    """How one network is trained.

    Attributes:
        optimizer: Name and constants of the optimizer.
        schedule: Course of the learning rate.
        fit: Epochs, precision, devices, and which checkpoint is kept.
        batch_size: Training images in a batch.
        seed: Seed of the order of the images and of their augmentation.
        augment: Random crops and flips of training images; None changes no image.
        validation_batch_size: Validation images in a batch.
        aids: Averaging, dampening, freezing and regularization.
        distillation: What is learned from the float network.
    """

    optimizer: OptimizerSpec
    schedule: ScheduleSpec
    fit: FitSpec
    batch_size: int
    seed: int
    augment: Augment | None
    validation_batch_size: int
    aids: AidsSpec = field(default_factory=AidsSpec)
    distillation: DistillationSpec = field(default_factory=DistillationSpec)

    def batches(self, data: DataBundle) -> Batches:
        """Training batches of the first epoch, shuffled and augmented."""
        return Batches(
            data.training,
            self.batch_size,
            data.preprocess,
            augment=self.augment,
            shuffle=True,
            seed=self.seed,
        )

    def validation(self, data: DataBundle) -> Batches:
        """The validation images in their order."""
        assert data.val is not None  # data.val_fraction is above 0
        return Batches(data.val, self.validation_batch_size, data.preprocess)


def float_training_request(config: RunConfig) -> TrainingRequest:
    """Take the training of the float network from a configuration."""
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
    """Take the training of the quantized network from a configuration."""
    return TrainingRequest(
        optimizer_spec(config.optimizer),
        schedule_spec(config.schedule),
        quantized_fit_spec(config),
        config.trainer.batch_size,
        config.seed,
        augmentation(config),
        config.evaluate.batch_size,
        aids_spec(config),
        distillation_spec(config),
    )


def augmentation(config: RunConfig) -> Augment | None:
    """Random crops and flips of training images; None if the configuration has neither."""
    settings = config.data.augment
    return Augment(settings.pad, settings.flip) if settings.pad or settings.flip else None
