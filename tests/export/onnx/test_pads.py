"""Pads before convolutions become theirs, and no code changes."""

import numpy as np
import pytest
from torch import nn

from qat.export import read
from qat.export.onnx.pads import fold_pads
from qat.export.onnx.qdq import to_onnx
from qat.export.program import Program, Step
from qat.export.reference.run import output_codes
from qat.export.runtimes.registry import make_runtime
from qat.memory.stored import StoredTensors
from tests.export.integer_networks import calibrated, images, read_program, scheme
from tests.export.reference.programs import form


class Padded(nn.Module):
    """Symmetric and not, twice in a row, with padding of the layer's own, and read by another."""

    def __init__(self):
        super().__init__()
        self.even, self.more = nn.ZeroPad2d(1), nn.ZeroPad2d((0, 2, 1, 0))
        self.first = nn.Conv2d(3, 4, 3, stride=2)
        self.second = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.third, self.pool = nn.Conv2d(4, 4, 2), nn.MaxPool2d(2)

    def forward(self, x):
        x = self.first(self.even(x)).relu()
        x = self.second(self.more(self.even(x)))
        both = self.even(x)  # a pool reads it too: it stays, the convolution goes without
        return self.third(both).mean((2, 3)) + self.pool(both).mean((2, 3))


@pytest.fixture
def qnet():
    return calibrated(Padded(), scheme(8, 8, symmetric=False))  # zero points that are not 0


def unfolded(qnet, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(read, "fold_pads", lambda program: program)
        return read_program(qnet, images())


def test_convolutions_pad_what_was_padded_before_them(qnet):
    steps = {step.name: step for step in read_program(qnet, images()).steps}
    assert steps["first"].attributes["padding"] == ((1, 1), (1, 1))
    # one of its own, one more on every side, then top 1 and right 2
    assert steps["second"].attributes["padding"] == ((3, 2), (2, 4))
    assert steps["third"].attributes["padding"] == ((1, 1), (1, 1))
    assert [name for name, step in steps.items() if step.kind == "pad"] == ["even:3"]
    assert (steps["first"].inputs, steps["third"].inputs) == (("input",), ("second",))


def test_no_code_changes(qnet, monkeypatch):
    x = images(3).numpy()
    before, after = unfolded(qnet, monkeypatch), read_program(qnet, images())
    codes = [output_codes(program, x) for program in (before, after)]
    np.testing.assert_array_equal(*codes)
    for optimize in (False, True):
        found = [
            make_runtime().load(to_onnx(program).SerializeToString(), 1, optimize).run(x)
            for program in (before, after)
        ]
        np.testing.assert_array_equal(*found)


def test_a_pad_is_stored_nowhere_in_memory_either(qnet):
    chains = StoredTensors(qnet).chains()
    assert ("even", "first", "relu", "tensors_first") in chains
    assert ("even_1", "more", "second", "tensors_second") in chains
    assert not any("even_2" in chain for chain in chains)  # a pool reads it too


def test_uneven_pads_of_a_program_by_hand():
    pad = {"widths": ((0, 0), (0, 0), (1, 0), (0, 2))}
    channels = {"widths": ((0, 0), (1, 0), (0, 0), (0, 0))}
    steps = (
        Step("input", "quantize", ("input",), "input"),
        Step("pad", "pad", ("input",), "pad", pad),
        Step("conv", "conv", ("pad",), "conv", {"padding": ((1, 1), (0, 0))}),
        Step("wide", "pad", ("conv",), "wide", channels),
        Step("last", "conv", ("wide",), "last", {"padding": ((0, 0), (0, 0))}),
    )
    formats = {step.name: form(1.0) for step in steps}
    folded = fold_pads(Program("net", (), (), "last", steps, formats, {}))
    assert [step.name for step in folded.steps] == ["input", "conv", "wide", "last"]
    assert folded.steps[1].inputs == ("input",)
    assert folded.steps[1].attributes["padding"] == ((2, 1), (0, 2))
    assert folded.steps[3] == steps[4]  # a pad of channels stays
    assert folded.formats.keys() == {"input", "conv", "wide", "last"}
