"""What the steps of post-training quantization get in a run, and how each is measured."""

import math
import sys

import torch
from torch import Tensor, nn

from qat.analysis.sqnr import sqnr_db
from qat.base.lines import wrapped
from qat.base.progress import is_silent, tracked
from qat.core.evaluation_mode import evaluating
from qat.data.batches import Batches
from qat.ptq.request import StepRequest
from qat.ptq.storage import gathered
from qat.records.side_files.ptq import CALIBRATED, PtqFile, PtqStepRow
from qat.run.request.ptq import PtqRequest
from qat.run.results import accuracies
from qat.run.state import RunState
from qat.training.evaluate import predict_logits

TEST_IMAGES = 2000
"""Number of test images, the first of the test set, on which each step is measured."""


def step_images(request: PtqRequest) -> tuple[Tensor, ...]:
    """The preprocessed images of the steps, batch by batch, within the memory budget.

    Args:
        request: The steps of the run.
    """
    batches = request.images
    count = len(batches.image_set)
    images = gathered((images for images, _ in batches), count, request.budget_bytes // 8)
    return images.split(batches.batch_size)


class PtqMeasurement:
    """Measures a network after each step, and notes a row of ``ptq.json``.

    Args:
        state: Of the run, after the stage of the float network.
        request: The steps of the run.
        images: Of the steps, from :func:`step_images`.
    """

    def __init__(self, state: RunState, request: PtqRequest, images: tuple[Tensor, ...]) -> None:
        self._state, self._images = state, images
        self._float_logits = self._logits(state.original.net)
        test = state.prepared.data.test
        first = torch.arange(min(TEST_IMAGES, len(test)))
        self._labels = test.labels.cpu()[first]
        size = state.prepared.images.test().batch_size
        self._test = Batches(test.subset(first), size, request.images.preprocess)

    def note(self, step: StepRequest | None, network: str, net: nn.Module, seconds: float) -> None:
        """Measure a network, add its row to the state, and print a line.

        Args:
            step: The step that changed it; None for the calibrated network before its first step.
            network: ``float`` or ``quantized``.
            net: The network.
            seconds: Of the step.
        """
        sqnr = sqnr_db(self._float_logits, self._logits(net))
        predicted = predict_logits(net, tracked("ptq evaluation", self._test))
        row = PtqStepRow(
            step=CALIBRATED if step is None else step.name,
            network=network,
            options="" if step is None else " ".join(f"{k}={v}" for k, v in step.options.items()),
            seconds=seconds,
            logit_sqnr_db=sqnr if math.isfinite(sqnr) else None,
            top1=accuracies(predicted, self._labels).get("top1"),
        )
        self._state.ptq_rows.append(row)
        if self._state.verbose and not is_silent():
            print(wrapped(f"[ptq] {row.words}", hang=6), file=sys.stderr, flush=True)

    def file(self) -> PtqFile:
        """The content of ``ptq.json``."""
        known = self._state.float_logits[: len(self._labels)]
        float_top1 = accuracies(known, self._labels).get("top1")
        images = sum(len(batch) for batch in self._images)
        return PtqFile(images, len(self._labels), float_top1, tuple(self._state.ptq_rows))

    @torch.no_grad()
    def _logits(self, net: nn.Module) -> Tensor:
        device = next(net.parameters()).device
        with evaluating(net):
            return torch.cat([net(batch.to(device)).cpu() for batch in self._images])
