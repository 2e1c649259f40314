"""The quantized layers of a network in execution order, each with its inputs and outputs.

The inputs of a layer come from the quantized network in which the earlier layers are finished, and
from the float network. Both networks advance segment by segment (:mod:`qat.ptq.segments`), so that
no activation is computed from the images again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn

from qat.layers.twin import QuantTwin
from qat.ptq.held import quantized_weight
from qat.ptq.kept import keeping, restored
from qat.ptq.segments import Segment, segments
from qat.ptq.storage import gathered
from qat.ptq.work import Tracker, Work

TENSORS_AT_ONCE = 8
"""Tensors of all images that are kept at once: two at each end of a segment, three of a layer."""


@dataclass
class Layer:
    """One quantized layer, and what enters and leaves it for all images.

    A tensor may be on the CPU although the network is not: move the rows that you use.

    Attributes:
        name: Its name in the network.
        twin: The layer, which the step changes in place.
        inputs: ``(images, ...)``: what the layer multiplies, from the quantized network so far,
            rounded by the quantizer of the input.
        float_inputs: The same in the float network.
        float_outputs: Output of the float layer, with its bias, before any activation.
        generator: Random draws of this layer, on the CPU.
        track: Shows the progress of its iterations.
    """

    name: str
    twin: QuantTwin
    inputs: Tensor
    float_inputs: Tensor
    float_outputs: Tensor
    generator: Generator
    track: Tracker


def each_layer(work: Work) -> Iterator[Layer]:
    """Iterate over the layers whose weights are rounded, in execution order.

    The state of a layer is kept when the loop's body is done with it. Layers that an interrupted
    run has finished are restored and not yielded. A loop may stop early.

    Args:
        work: The step's work.
    """
    for segment, x, float_x in each_segment(work):
        for name in segment.names:
            twin = work.qnet.get_submodule(name)
            assert isinstance(twin, QuantTwin)
            if quantized_weight(twin) is None or restored(work, name, {name: twin}):
                continue
            with keeping(work, name, {name: twin}):
                yield _layer(work, segment, name, twin, x(), float_x())


def each_segment(
    work: Work,
) -> Iterator[tuple[Segment, Callable[[], Tensor], Callable[[], Tensor]]]:
    """Iterate over the segments; after each, both networks advance to the next one.

    Args:
        work: The step's work.

    Yields:
        A segment, and what enters it in the quantized and in the float network: functions of no
        arguments, so that segments without work cost nothing until their outputs are needed.
    """
    parts = segments(work.qnet, work.batches[0].to(work.device))
    entry, float_entry = _Entry(work, work.qnet), _Entry(work, work.float_net)
    for segment in work.track("layers", parts):
        yield segment, entry.tensor, float_entry.tensor
        entry.behind(segment)
        float_entry.behind(segment)


class _Entry:
    """What enters a segment in one network; computed when it is first read."""

    def __init__(self, work: Work, net: nn.Module) -> None:
        self._work, self._net = work, net
        self._sizes = [len(batch) for batch in work.batches]
        self._waiting: list[Segment] = []
        self._known: Tensor | None = None

    def behind(self, segment: Segment) -> None:
        """Advance behind a segment, whose layers are finished."""
        self._waiting.append(segment)

    @torch.no_grad()
    def tensor(self) -> Tensor:
        """The tensor of all images."""
        if self._known is None:
            self._known = kept(self._work, iter(self._work.batches))
        while self._waiting:
            segment, known = self._waiting.pop(0), self._known
            parts = (
                segment.run(self._net, part.to(self._work.device))
                for part in known.split(self._sizes)
            )
            self._known = kept(self._work, parts)
        return self._known


def kept(work: Work, parts: Iterator[Tensor]) -> Tensor:
    """Join the tensors of all batches, within the budget of the work.

    Args:
        work: The step's work.
        parts: One tensor of each batch.
    """
    return gathered(parts, work.images, work.budget_bytes // TENSORS_AT_ONCE)


class _Reached(Exception):  # noqa: N818  # no error: it ends a forward pass at a layer
    """The layer was reached, with its input and, if it was computed, its output."""


def _layer(
    work: Work, segment: Segment, name: str, twin: QuantTwin, x: Tensor, float_x: Tensor
) -> Layer:
    sizes = [len(batch) for batch in work.batches]
    rounded = (
        twin.input_quantizer(seen[0]).detach()
        for seen in _seen(work, segment, work.qnet, name, x, sizes)
    )
    inputs = kept(work, rounded)
    own = work.float_net.get_submodule(name)
    seen_inputs = _seen(work, segment, work.float_net, name, float_x, sizes)
    float_inputs = kept(work, (seen[0] for seen in seen_inputs))
    outputs = (_computed(own, part.to(work.device)) for part in float_inputs.split(sizes[0]))
    return Layer(
        name, twin, inputs, float_inputs, kept(work, outputs), work.generator(name), work.track
    )


@torch.no_grad()
def _computed(layer: nn.Module, x: Tensor) -> Tensor:
    return layer(x)  # type: ignore[no-any-return]


def _seen(
    work: Work, segment: Segment, net: nn.Module, name: str, x: Tensor, sizes: list[int]
) -> Iterator[tuple[Any, ...]]:
    """The arguments of a layer's first call, for each batch."""

    def hook(_: nn.Module, arguments: tuple[Any, ...]) -> None:
        raise _Reached(*arguments)

    for part in x.split(sizes):
        handle = net.get_submodule(name).register_forward_pre_hook(hook)
        try:
            with torch.no_grad():
                segment.run(net, part.to(work.device))
        except _Reached as reached:
            yield reached.args
        finally:
            handle.remove()
