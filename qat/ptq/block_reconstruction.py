"""What BRECQ and QDrop share: blocks whose weights and activation steps are learned together."""

from typing import Any

import torch
from torch import Tensor

from qat.convert.calibrate import fit_biases
from qat.ptq.blocks import LayerBlock
from qat.ptq.learned_step import keeps
from qat.ptq.reconstruction import (
    Effort,
    channel_axis,
    generator_of,
    reconstruct,
    squared_error,
)
from qat.ptq.rows import Rows
from qat.ptq.softened import check_uniform, softened
from qat.ptq.step import BlockStep
from qat.ptq.work import Work


class BlockReconstruction(BlockStep):
    """Learn each block of a network so that it gives its float output.

    Args:
        options: The fields of :class:`qat.ptq.reconstruction.Effort` by name.
    """

    drop = 0.0
    """Probability that an element of an activation is not rounded while learning."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._effort = Effort(**options)
        self._work: Work

    def change(self, work: Work) -> None:
        """Reconstruct the blocks in execution order."""
        check_uniform(work.qnet)
        self._work = work
        super().change(work)
        fit_biases(work.qnet)  # steps of activations are part of the scales of integer biases

    def importance(self, block: LayerBlock) -> Tensor | None:
        """Factor of each squared error, of the shape of the block's output; None for 1."""
        return None

    def change_block(self, block: LayerBlock) -> None:
        """Learn one block, and hold the codes of its weights."""
        work = self._work
        errors, inputs = _Errors(block, self.importance(block), work), _Inputs(block, work)
        seed = block.generator.initial_seed()
        with softened(
            block.parts.values(), block.twins.values(), learns_steps=True, drop=self.drop
        ) as soft:

            def loss(chosen: Tensor, iteration: int) -> Tensor:
                generator = generator_of(~seed, iteration, work.device)
                soft.draw_from(generator)
                x = inputs.chosen(chosen, self.drop, generator)
                return errors.of(block.run(x), chosen)

            reconstruct(
                loss,
                list(soft.roundings.values()),
                self._effort,
                work.images,
                seed,
                [step.step for step in soft.steps.values()],
                block.track,
            )


class _Inputs:
    """Batches of a block's inputs, of whose elements some are those of the float network."""

    def __init__(self, block: LayerBlock, work: Work) -> None:
        self._quantized, self._float = Rows(block.inputs, work), Rows(block.float_inputs, work)

    def chosen(self, indices: Tensor, drop: float, generator: torch.Generator) -> Tensor:
        x = self._quantized.chosen(indices)
        if not drop:
            return x
        return torch.where(keeps(x, drop, generator), self._float.chosen(indices), x)


class _Errors:
    """Squared errors of a block's output, each with its importance."""

    def __init__(self, block: LayerBlock, importance: Tensor | None, work: Work) -> None:
        self._axis = channel_axis(block.float_outputs)
        self._targets = Rows(block.float_outputs, work)
        # The root is a factor of output and target, so that their squared distance is one kernel.
        self._roots = None if importance is None else Rows(importance, work, torch.sqrt)

    def of(self, output: Tensor, chosen: Tensor) -> Tensor:
        target = self._targets.chosen(chosen)
        if self._roots is not None:
            root = self._roots.chosen(chosen)
            output, target = output * root, target * root
        return squared_error(output, target, self._axis)
