"""What a step of post-training quantization is: base classes of the methods.

A method is a class in a file of its own, named in :mod:`qat.ptq.registry`. Its constructor takes
the options of the registry by name.
"""

from typing import Any

from qat.ptq.blocks import LayerBlock, each_block
from qat.ptq.layers import Layer, each_layer
from qat.ptq.work import FloatWork, Work


class PtqStep:
    """A step; :class:`FloatStep` and :class:`QuantizedStep` say what it changes."""

    def __init__(self, **options: Any) -> None:
        self.options = options


class FloatStep(PtqStep):
    """Changes a float network without data, so that its weights alone determine the result."""

    def change(self, work: FloatWork) -> None:
        """Change the network in place.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError


class QuantizedStep(PtqStep):
    """Changes a calibrated quantized network.

    The network is in evaluation mode and in phase ``quantize``; a step leaves it so, and removes
    every hook.
    """

    def change(self, work: Work) -> None:
        """Change ``work.qnet`` in place.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError


class LayerStep(QuantizedStep):
    """Changes one quantized layer after the other, in execution order, with resume."""

    def change(self, work: Work) -> None:
        """Call :meth:`change_layer` for each layer that an interrupted run has not finished."""
        for layer in each_layer(work):
            self.change_layer(layer)

    def change_layer(self, layer: Layer) -> None:
        """Change ``layer.twin`` in place, mostly by :func:`qat.ptq.held.hold`.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError


class BlockStep(QuantizedStep):
    """Changes one block of layers after the other, in execution order, with resume.

    A residual block is one block; a layer outside of such blocks is one by itself.
    """

    def change(self, work: Work) -> None:
        """Call :meth:`change_block` for each block that an interrupted run has not finished."""
        for block in each_block(work):
            self.change_block(block)

    def change_block(self, block: LayerBlock) -> None:
        """Change the layers of ``block.twins`` in place, mostly by :func:`qat.ptq.held.hold`.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError
