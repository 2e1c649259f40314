"""The blocks of a quantized network in execution order, each with its inputs and outputs.

A block is a segment (:mod:`qat.ptq.segments`): a residual block with the activation behind it, or
a single layer with its activation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from qat.layers.twin import QuantTwin
from qat.ptq.fisher import fisher_diagonal
from qat.ptq.held import quantized_weight
from qat.ptq.kept import keeping, restored
from qat.ptq.layers import each_segment, kept
from qat.ptq.segments import Segment
from qat.ptq.work import Tracker, Work


@dataclass
class LayerBlock:
    """One block, and what enters and leaves it for all images.

    A tensor may be on the CPU although the network is not: move the rows that you use.

    Attributes:
        name: Name of its first layer.
        twins: Name → layer of those with rounded weights, in execution order; the step changes
            them in place.
        parts: Module path → every quantized layer and quantized tensor of the block, in execution
            order, with or without rounded weights.
        inputs: ``(images, ...)``: what enters the block in the quantized network so far; the
            quantizers of its first layers have not rounded it yet.
        float_inputs: The same in the float network.
        float_outputs: What leaves the block in the float network.
        generator: Random draws of this block, on the CPU.
        track: Shows the progress of its iterations.
    """

    name: str
    twins: dict[str, QuantTwin]
    parts: dict[str, nn.Module]
    inputs: Tensor
    float_inputs: Tensor
    float_outputs: Tensor
    generator: Generator
    track: Tracker
    _work: Work
    _segment: Segment

    def run(self, x: Tensor) -> Tensor:
        """Compute the block of the quantized network, with gradients if they are enabled.

        Args:
            x: Rows of ``inputs``, on the network's device.
        """
        return self._segment.run(self._work.qnet, x)

    def fisher_diagonal(self, probes: int) -> Tensor:
        """The diagonal of the Fisher information of the block's float output.

        Args:
            probes: Most backward passes for each batch, see :mod:`qat.ptq.fisher`.

        Returns:
            Of the shape of ``float_outputs``.
        """
        outputs = self.float_outputs.split([len(batch) for batch in self._work.batches])
        own, rest = self._work.device, self._float_logits
        parts = (fisher_diagonal(rest, z.to(own), probes, self.generator) for z in outputs)
        return kept(self._work, parts)

    def _float_logits(self, z: Tensor) -> Tensor:
        for segment in self._segment.following:
            z = segment.run(self._work.float_net, z)
        return z


def each_block(work: Work) -> Iterator[LayerBlock]:
    """Iterate over the blocks with rounded weights, in execution order.

    The state of a block's quantized layers and tensors is kept when the loop's body is done with
    it. Blocks that an interrupted run has finished are restored and not yielded.

    Args:
        work: The step's work.
    """
    for segment, x, float_x in each_segment(work):
        parts = {path: work.qnet.get_submodule(path) for path in segment.paths(work.qnet)}
        if not _rounded(parts) or restored(work, segment.names[0], parts):
            continue
        with keeping(work, segment.names[0], parts):
            yield _block(work, segment, parts, x(), float_x())


def _block(
    work: Work, segment: Segment, parts: dict[str, nn.Module], x: Tensor, float_x: Tensor
) -> LayerBlock:
    name, sizes = segment.names[0], [len(batch) for batch in work.batches]

    def outputs() -> Iterator[Tensor]:
        for part in float_x.split(sizes):
            with torch.no_grad():
                yield segment.run(work.float_net, part.to(work.device))

    drawn = work.generator(name)
    return LayerBlock(
        name,
        _rounded(parts),
        parts,
        x,
        float_x,
        kept(work, outputs()),
        drawn,
        work.track,
        work,
        segment,
    )


def _rounded(parts: Mapping[str, nn.Module]) -> dict[str, QuantTwin]:
    """The layers whose weights are rounded."""
    layers = {path: part for path, part in parts.items() if isinstance(part, QuantTwin)}
    return {path: twin for path, twin in layers.items() if quantized_weight(twin) is not None}
