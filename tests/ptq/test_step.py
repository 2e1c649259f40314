"""The base classes of steps."""

import pytest

from qat.ptq.step import BlockStep, FloatStep, LayerStep, QuantizedStep
from qat.ptq.work import FloatWork
from tests.ptq.networks import Residual, quantized, seeded, work_of


class Layers(LayerStep):
    def change_layer(self, layer):
        self.options.setdefault("seen", []).append(layer.name)


class Blocks(BlockStep):
    def change_block(self, block):
        self.options.setdefault("seen", []).append(tuple(block.twins))


def test_steps_see_layers_and_blocks_in_execution_order():
    work = work_of(quantized(seeded(Residual)))
    layers, blocks = Layers(), Blocks()
    layers.change(work)
    blocks.change(work)
    assert layers.options["seen"] == ["stem", "block.conv1", "block.conv2", "fc"]
    assert blocks.options["seen"] == [("stem",), ("block.conv1", "block.conv2"), ("fc",)]


def test_a_subclass_says_what_it_changes():
    work = work_of(quantized(seeded(Residual)))
    with pytest.raises(NotImplementedError):
        FloatStep().change(FloatWork(work.float_net))
    for kind in (QuantizedStep, LayerStep, BlockStep):
        with pytest.raises(NotImplementedError):
            kind().change(work)
