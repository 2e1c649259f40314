"""Codes in an arena: bytes by hand, gaps and orders of strided tensors, half precision."""

from dataclasses import replace

import pytest
import torch

from qat.memory.codec import Coding, Halves, PackedCodes
from qat.memory.liveness import MemoryGraph, MemoryTensor


class Steps:
    """Codes of step 1/2."""

    def encode(self, x):
        return torch.round(x * 2).to(torch.int32)

    def decode(self, codes):
        return codes / 2


def codec(bits, lowest, **place):
    tensor = MemoryTensor("x", (4,), (1,), 0, 4, bits, "x")
    graph = MemoryGraph({}, {"x": replace(tensor, **place)}, ("x",))
    return PackedCodes(graph, {"x": Coding(Steps(), bits, lowest)})


@pytest.mark.parametrize(
    ("bits", "lowest", "expected"),
    [
        # -2, -1, 0, 1 less the lowest, two to a byte, the first in the low half.
        pytest.param(4, -8, [0x76, 0x98], id="4 bits"),
        pytest.param(8, -128, [126, 127, 128, 129], id="8 bits"),
        pytest.param(2, -2, [0b11100100], id="2 bits"),
    ],
)
def test_bytes_by_hand(bits, lowest, expected):
    values = torch.tensor([-1.0, -0.5, 0.0, 0.5])
    codes = codec(bits, lowest).encode("x", values)
    assert codes.tolist() == expected
    assert torch.equal(codec(bits, lowest).decode("x", codes, 4), values)


def test_elements_lie_where_the_strides_say():
    """A matrix stored by columns, behind one element that is not its own."""
    place = {"shape": (2, 2), "stride": (1, 2), "start": 1, "elements": 5}
    values = torch.tensor([[0.5, 1.0], [1.5, 2.0]])
    found = codec(8, 0, **place).encode("x", values)
    assert found.tolist() == [0, 1, 3, 2, 4]
    assert codec(8, 0, **place).decode("x", found, 5).tolist() == [0, 0.5, 1.5, 1.0, 2.0]


def test_halves_are_numpys_float16():
    values = torch.tensor([1.0, -2.5, 1e-7, 70000.0, -1e9, 0.1])
    want = values.clamp(-65504, 65504).numpy().astype("float16")
    codes = Halves().encode(values)
    assert codes.numpy().astype("int16").tobytes() == want.tobytes()
    assert Halves().decode(codes).numpy().tolist() == want.astype("float32").tolist()
