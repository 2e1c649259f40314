"""Effect of flipped ties on the simulation: how far a correct runtime may differ from it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from qat.core.evaluation_mode import evaluating
from qat.export.parity.gate import LogitAgreement, compare_logits
from qat.export.parity.pieces import pieces
from qat.export.program import Floats, Program

CHUNK = 16
"""Images at a time: a whole batch of large images would not fit into memory."""


def tie_sensitivity(
    qnet: nn.Module,
    program: Program,
    stored: Mapping[fx.Node, str],
    shares: Mapping[str, float],
    images: Tensor,
) -> LogitAgreement:
    """Compare the simulation with itself when random codes are changed by one step.

    Args:
        qnet: The simulation, as a graph.
        program: Its integer program.
        stored: Node of each quantizer → name of its output tensor.
        shares: Name of a tensor → share of its codes to change, up or down, within its bounds.
        images: Preprocessed images.
    """
    assert isinstance(qnet, fx.GraphModule)
    flips = _Flips(qnet, program, stored, shares)
    device = next(qnet.parameters()).device
    plain, flipped = [], []
    with torch.no_grad(), evaluating(qnet):
        for part in images.split(CHUNK):
            plain.append(qnet(part.to(device)).cpu().numpy())
            flipped.append(flips.run(part.to(device)).cpu().numpy())
    scale = float(program.formats[program.output].scale)
    return compare_logits(np.concatenate(plain), np.concatenate(flipped), scale)


class _Flips(fx.Interpreter):
    """Runs a simulation and changes some of the codes it stores; the same ones every time."""

    def __init__(
        self,
        qnet: fx.GraphModule,
        program: Program,
        stored: Mapping[fx.Node, str],
        shares: Mapping[str, float],
    ) -> None:
        super().__init__(qnet)
        self.program, self.stored, self.shares = program, stored, shares
        self.bounds = {step.output: (step.low, step.high) for step in program.steps}
        self.random = np.random.default_rng(0)

    def run_node(self, n: fx.Node) -> Any:
        """Compute a node; if it stores a tensor, change some of its codes."""
        value = super().run_node(n)
        name = self.stored.get(n)
        share = self.shares.get(name, 0.0) if name is not None else 0.0
        if name is None or share == 0:
            return value
        flipped = self._flipped(value.cpu().numpy().reshape(-1), name, share)
        return torch.from_numpy(flipped.reshape(value.shape)).to(value)

    def _flipped(self, values: Floats, name: str, share: float) -> Floats:
        """Flat values of which some are moved to the next code.

        First all numbers are drawn that say which, then all directions: pieces draw the same ones
        as a whole array.
        """
        form, flipped = self.program.formats[name], np.empty(len(values), np.float32)
        hit = np.empty(len(values), np.bool_)
        for piece in pieces(len(values)):
            hit[piece] = self.random.random(hit[piece].size) < share
        for piece in pieces(len(values)):
            moved = hit[piece] * self.random.choice((-1, 1), hit[piece].size)
            moved += form.encode(values[piece])
            flipped[piece] = form.decode(np.clip(moved, *self.bounds[name]).astype(np.int32))
        return flipped
