"""AdaRound: each weight of a layer is rounded so that the layer's output stays.

Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization", ICML 2020,
arXiv:2004.10568. For each layer, from the first to the last:

    minimise over v:  || f(W x + b) - f(W~ x~ + b) ||^2 + strength * penalty(h(v))       Eq. 25

``x`` is the input in the float network and ``x~`` that in the network whose earlier layers are
quantized; ``f`` is the activation function behind the layer; ``W~`` is the soft weight, see
:mod:`qat.ptq.soft_rounding`. The norm is summed over the channels and averaged over images and
pixels, ``strength`` is 0.01. Scales stay as calibrated; the paper takes those of least square error
(``observer@scheme.weight=mse``).

Differs from the paper: ``f`` is left out where something else reads the output too, as before an
addition, since the loss is then that of one summand. The learning of a layer ends early if all its
weights are decided.

Cites: nagel2020adaround.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from qat.ptq.functions_after import functions_after
from qat.ptq.layers import Layer
from qat.ptq.reconstruction import Effort, channel_axis, reconstruct, squared_error
from qat.ptq.rows import Rows
from qat.ptq.softened import check_uniform, softened
from qat.ptq.step import LayerStep
from qat.ptq.work import Work


class AdaRound(LayerStep):
    """Learn the rounding of each layer's weight.

    Args:
        options: The fields of :class:`qat.ptq.reconstruction.Effort` by name.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._effort = Effort(**options)
        self._work: Work
        self._after: Mapping[str, nn.Module] = {}

    def change(self, work: Work) -> None:
        """Round the layers in execution order."""
        check_uniform(work.qnet)
        self._work, self._after = work, functions_after(work.qnet)
        super().change(work)

    def change_layer(self, layer: Layer) -> None:
        """Learn the rounding of one layer, and hold its codes."""
        after, work = self._after.get(layer.name, nn.Identity()), self._work
        inputs, targets = Rows(layer.inputs, work), Rows(layer.float_outputs, work, after)
        axis = channel_axis(layer.float_outputs)

        def loss(chosen: Tensor, _: int) -> Tensor:
            output = after(layer.twin(inputs.chosen(chosen), rounded=True))
            return squared_error(output, targets.chosen(chosen), axis)

        with softened([layer.twin], [layer.twin]) as soft:
            seed = layer.generator.initial_seed()
            roundings = list(soft.roundings.values())
            reconstruct(loss, roundings, self._effort, len(layer.inputs), seed, track=layer.track)
