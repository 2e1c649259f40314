"""The steps of post-training quantization of a run, with what they need."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from qat.base.errors import InputError
from qat.config.checks.ptq import ptq_steps
from qat.config.schema import RunConfig
from qat.data.batches import Batches
from qat.ptq.clip import ChannelClip
from qat.ptq.request import StepRequest, split_steps
from qat.ptq.sequence import FloatReport, change_float
from qat.ptq.work import FloatWork
from qat.run.calibration import Calibration
from qat.run.memory.budget import memory_budget_bytes


@dataclass(frozen=True)
class PtqRequest:
    """Steps, images and memory.

    Attributes:
        float_steps: Steps on the float network, in their order.
        quantized_steps: Steps on the calibrated quantized network, in their order.
        images: The images of the steps, without augmentation.
        seed: Of the random draws.
        budget_bytes: How much memory kept activations may take.
        placement: ``academic`` or ``integer``.
    """

    float_steps: Sequence[StepRequest]
    quantized_steps: Sequence[StepRequest]
    images: Batches
    seed: int
    budget_bytes: int
    placement: str

    def changed(self, net: nn.Module, report: FloatReport | None = None) -> FloatWork:
        """The float network after the float steps; ``net`` itself is not changed.

        Args:
            net: The original float network.
            report: Called after each step; None reports nothing.

        Raises:
            InputError: If a step cannot change the network, or leaves an operation that placement
                ``integer`` does not have.
        """
        work = change_float(net, self.float_steps, report)
        if self.placement == "integer" and any(
            isinstance(module, ChannelClip) for module in work.net.modules()
        ):
            raise InputError(
                "ptq has equalize with relu6=clip, which gives each channel its own limit, and "
                "scheme.placement=integer has one for a tensor: write {equalize:{relu6:relu}}, or "
                "use scheme.placement=academic"
            )
        return work

    def changed_digest(self, digest: str) -> str:
        """A name for the weights of a float network after the float steps.

        Caches that are keyed by it do not mix the original and the changed network.

        Args:
            digest: Of the original network.

        Returns:
            The digest itself if there are no float steps.
        """
        if not self.float_steps:
            return digest
        steps = json.dumps([step.to_plain() for step in self.float_steps], sort_keys=True)
        return f"{digest}+ptq:{hashlib.sha256(steps.encode()).hexdigest()[:16]}"


def ptq_request(config: RunConfig, calibration: Calibration) -> PtqRequest | None:
    """Take the steps from a configuration; None if it has none.

    Args:
        config: The run's configuration.
        calibration: Of the run: its images are those of the steps, in another number.

    Raises:
        ValueError: If a name, an option or the order is wrong.
    """
    steps = ptq_steps(config)
    if not steps:
        return None
    options = config.ptq_options
    float_steps, quantized_steps = split_steps(steps)
    batches = calibration.drawn(options.images, options.batch_size)
    return PtqRequest(
        float_steps,
        quantized_steps,
        batches,
        config.seed,
        memory_budget_bytes(config.memory),
        config.scheme.placement,
    )
