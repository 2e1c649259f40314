"""Rounding to nearest: the base line of all rounding methods.

    q = clamp(round(w / scale) + zero_point, qmin, qmax)

as conversion and calibration compute it. Here the codes are held (:mod:`qat.ptq.held`), so that
later steps, and the start of a training, see the rounded weights.
"""

from qat.ptq.held import hold
from qat.ptq.layers import Layer
from qat.ptq.step import LayerStep


class Nearest(LayerStep):
    """Hold the nearest codes of each weight."""

    def change_layer(self, layer: Layer) -> None:
        """Hold the codes that the weight's quantizer gives."""
        hold(layer.twin, layer.twin.weight_quantizer.encode(layer.twin.folded()[0]))  # type: ignore[operator]
