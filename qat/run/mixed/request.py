"""How the widths of a run are chosen."""

from dataclasses import dataclass
from functools import cached_property

from qat.config.schema import AllocateConfig, MixedConfig, RunConfig, SensitivityConfig
from qat.core.scheme import Scheme
from qat.data.augment import Augment
from qat.data.batches import Batches
from qat.run.calibration import Calibration
from qat.run.memory.budget import memory_budget_bytes
from qat.run.request.training import augmentation


@dataclass(frozen=True)
class MixedRequest:
    """What is measured, which allocator chooses, and how the prediction is checked.

    Attributes:
        scheme: The scheme whose widths are replaced.
        calibration: The calibration of every network that is tried.
        sensitivity: The configuration group ``sensitivity``.
        allocate: The configuration group ``allocate``.
        check: The configuration group ``mixed``.
        training_batch_size: Training images in a batch, for learned widths.
        augment: Random crops and flips of these images; None changes no image.
        accelerator: Device on which widths are learned, as Lightning names it.
        memory_limit_bytes: How much of the activations before a layer may be kept.
    """

    scheme: Scheme
    calibration: Calibration
    sensitivity: SensitivityConfig
    allocate: AllocateConfig
    check: MixedConfig
    training_batch_size: int
    augment: Augment | None
    accelerator: str
    memory_limit_bytes: int

    @cached_property
    def sensitivity_images(self) -> Batches:
        """Training images drawn by ``sensitivity.seed``: the same images for all runs' seeds."""
        return self.drawn(self.sensitivity.images)

    def drawn(self, count: int) -> Batches:
        """As :attr:`sensitivity_images`, in another number: the larger one has all of the smaller.

        Args:
            count: Number of images; all are taken if there are fewer.
        """
        images, settings = self.calibration.images, self.sensitivity
        at_once = min(settings.batch_size, images.at_once)
        return images.drawn_training(count, settings.seed, at_once)


def mixed_request(config: RunConfig, scheme: Scheme, calibration: Calibration) -> MixedRequest:
    """Take the choice of widths from a configuration.

    Args:
        config: The run's configuration.
        scheme: The scheme whose widths are replaced.
        calibration: The calibration of every network that is tried.
    """
    return MixedRequest(
        scheme,
        calibration,
        config.sensitivity,
        config.allocate,
        config.mixed,
        config.trainer.batch_size,
        augmentation(config),
        config.trainer.accelerator,
        memory_budget_bytes(config.memory),
    )
