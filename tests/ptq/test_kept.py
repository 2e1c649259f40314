"""A step that was interrupted repeats no finished layer, and ends equal bit for bit."""

import pytest
import torch

from qat.layers.walk import twins
from qat.ptq.held import add_to_bias, hold
from qat.ptq.kept import keeping, restored
from qat.ptq.step import BlockStep, LayerStep
from tests.ptq.networks import Residual, quantized, seeded, work_of


class InterruptedStepError(Exception):
    """The process was killed here."""


def change(twin, inputs, generator):
    """A step that depends on the layer's inputs and on random draws."""
    codes = twin.weight_quantizer.encode(twin.folded()[0])
    moved = torch.randint(-1, 2, codes.shape, generator=generator)
    grid = twin.weight_quantizer.grid
    hold(twin, (codes + moved).clamp(grid.qmin, grid.qmax))
    add_to_bias(twin, inputs.mean().expand(len(twin.weight)))


class Layers(LayerStep):
    def change_layer(self, layer):
        if layer.name == self.options.get("until"):
            raise InterruptedStepError
        self.options.setdefault("seen", []).append(layer.name)
        change(layer.twin, layer.inputs, layer.generator)


class Blocks(BlockStep):
    def change_block(self, block):
        if block.name == self.options.get("until"):
            raise InterruptedStepError
        self.options.setdefault("seen", []).append(block.name)
        for twin in block.twins.values():
            change(twin, block.inputs, block.generator)


def state_of(qnet):
    frozen = {name: twin.weight_quantizer.frozen for name, twin in twins(qnet)}
    return {**qnet.state_dict()}, frozen


@pytest.mark.parametrize("placement", ["academic", "integer"])
@pytest.mark.parametrize("kind", [Layers, Blocks])
@pytest.mark.parametrize("until", ["block.conv1", "fc"])
def test_an_interrupted_step_continues(kind, until, placement, tmp_path):
    def fresh():
        return quantized(seeded(Residual), placement=placement)

    whole = fresh()
    kind().change(work_of(whole))
    with pytest.raises(InterruptedStepError):
        kind(until=until).change(work_of(fresh(), folder=tmp_path))
    resumed, qnet = kind(), fresh()
    work = work_of(qnet, folder=tmp_path)
    resumed.change(work)
    names = ["stem", "block.conv1", "block.conv2", "fc"]
    if kind is Blocks:
        names.remove("block.conv2")
    assert resumed.options["seen"] == names[names.index(until) :]
    assert work.seconds_before > 0
    (state, frozen), (expected, expected_frozen) = state_of(qnet), state_of(whole)
    assert frozen == expected_frozen
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], expected[key]) for key in state)


def test_files_are_whole_or_absent_and_a_damaged_one_counts_as_none(tmp_path):
    work = work_of(quantized(seeded(Residual)), folder=tmp_path)
    twin = dict(twins(work.qnet))["stem"]
    with pytest.raises(InterruptedStepError), keeping(work, "stem", {"stem": twin}):
        raise InterruptedStepError
    assert not list(tmp_path.iterdir())
    with keeping(work, "stem", {"stem": twin}):
        twin.weight.data.fill_(2.0)
    (file,) = tmp_path.iterdir()
    twin.weight.data.fill_(3.0)
    assert restored(work, "stem", {"stem": twin})
    assert twin.weight.unique().tolist() == [2.0]
    file.write_bytes(file.read_bytes()[:40])
    assert not restored(work, "stem", {"stem": twin})
    assert not restored(work_of(work.qnet), "stem", {"stem": twin})
