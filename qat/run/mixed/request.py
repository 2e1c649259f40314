"""How the widths of a run are chosen."""

from dataclasses import dataclass
from functools import cached_property

from qat.config.schema import AllocateConfig, MixedConfig, RunConfig, SensitivityConfig
from qat.core.scheme import Scheme
from qat.data.augment import Augment
from qat.data.batches import Batches
from qat.run.calibration import Calibration
from qat.run.training_request import augmentation


@dataclass(frozen=True)
class MixedRequest:
    """What is measured, who chooses, and how the prediction is checked.

    Attributes:
        scheme: Whose widths are replaced.
        calibration: Of every network that is tried.
        sensitivity: The group of that name.
        allocate: Likewise.
        check: The group ``mixed``.
        training_batch_size: Training images in a batch, where widths are learned.
        augment: What happens to them; None for nothing.
        accelerator: Where widths are learned.
    """

    scheme: Scheme
    calibration: Calibration
    sensitivity: SensitivityConfig
    allocate: AllocateConfig
    check: MixedConfig
    training_batch_size: int
    augment: Augment | None
    accelerator: str

    @cached_property
    def sensitivity_images(self) -> Batches:
        """Training images, drawn by ``sensitivity.seed``: the same for all seeds of a run."""
        images, settings = self.calibration.images, self.sensitivity
        at_once = min(settings.batch_size, images.at_once)
        return images.drawn_training(settings.images, settings.seed, at_once)


def mixed_request(config: RunConfig, scheme: Scheme, calibration: Calibration) -> MixedRequest:
    """The choice of widths of a configuration.

    Args:
        config: Typed.
        scheme: Whose widths are replaced.
        calibration: Of every network that is tried.
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
    )
