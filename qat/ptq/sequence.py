"""Run the steps of a list one after the other, and leave each network as it was otherwise."""

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from torch import nn

from qat.convert.calibrate import set_phase
from qat.core.evaluation_mode import evaluating
from qat.layers.walk import quantizers
from qat.ptq.request import StepRequest
from qat.ptq.step import FloatStep, QuantizedStep
from qat.ptq.work import FloatWork, Work

Report = Callable[[StepRequest, float], None]
"""Called after each step, with the step and its seconds."""
FloatReport = Callable[[StepRequest, float, nn.Module], None]
"""The same, and the network as the step left it."""


def change_float(
    net: nn.Module, steps: Sequence[StepRequest], report: FloatReport | None = None
) -> FloatWork:
    """Return a changed copy of a float network.

    Args:
        net: The float network; it is not changed. Without steps it is returned itself.
        steps: Steps of kind ``float``, in their order.
        report: Called after each step; None reports nothing.

    Returns:
        The changed network, and statistics of its layers.

    Raises:
        ValueError: If a step cannot change this network; the message says why.
    """
    if not steps:
        return FloatWork(net)
    work = FloatWork(copy.deepcopy(net))
    for request in steps:
        start = time.perf_counter()
        step = request.method.load()(**request.options)
        assert isinstance(step, FloatStep)
        with evaluating(work.net):
            step.change(work)
        if report is not None:
            report(request, time.perf_counter() - start, work.net)
    return work


def change_quantized(
    work: Work, steps: Sequence[StepRequest], report: Report | None = None
) -> None:
    """Change a calibrated quantized network in place.

    Each step has a folder of its own inside ``work.folder``. Afterwards the network has the phases
    and the training modes that it had.

    Args:
        work: The networks, and the images that the steps use.
        steps: Steps of kind ``quantized``, in their order.
        report: Called after each step; None reports nothing.

    Raises:
        ValueError: If a step cannot change this network; the message says why.
    """
    for number, request in enumerate(steps):
        start = time.perf_counter()
        folder = None if work.folder is None else work.folder / f"{number}-{request.name}"
        own = replace(work, folder=folder, seconds_before=0.0)
        step = request.method.load()(**request.options)
        assert isinstance(step, QuantizedStep)
        with evaluating(work.qnet), evaluating(work.float_net), _rounding(work.qnet):
            step.change(own)
        if report is not None:
            report(request, time.perf_counter() - start + own.seconds_before)


@contextmanager
def _rounding(qnet: nn.Module) -> Iterator[None]:
    """Phase ``quantize`` inside the block; afterwards each quantizer has its former phase."""
    phases = {quantizer: quantizer.phase for _, _, quantizer in quantizers(qnet)}
    set_phase(qnet, "quantize")
    try:
        yield
    finally:
        for quantizer, phase in phases.items():
            quantizer.phase = phase
