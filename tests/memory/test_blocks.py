"""Blocks of an arena: bytes and members by hand."""

from qat.memory.blocks import Block, live_bytes, make_blocks, peak_bytes
from tests.memory.networks import FLOAT, Chain, Function, Residual, graph_of


def test_peak_of_blocks_by_hand():
    assert peak_bytes([Block("a", 2, 0, 1), Block("b", 3, 1, 2), Block("c", 4, 2, 2)]) == 7


def test_live_bytes_of_a_chain_by_hand():
    graph = graph_of(Chain())
    apart = make_blocks(graph, in_place=False)
    assert live_bytes(apart) == [n * FLOAT for n in (16, 48, 64, 40, 8, 11)]
    together = make_blocks(graph, in_place=True)
    assert live_bytes(together) == [n * FLOAT for n in (16, 48, 32, 40, 8, 11)]
    assert [b.members for b in together if len(b.members) > 1] == [("conv", "relu")]
    assert peak_bytes(together) == 48 * FLOAT


def test_an_operation_of_two_overwrites_the_input_that_dies():
    blocks = make_blocks(graph_of(Residual()))
    # Both die at the add; the first it reads is taken, and the ReLU takes that again.
    assert [b.members for b in blocks] == [("x",), ("conv", "add", "relu")]
    assert peak_bytes(blocks) == 32 * FLOAT


def test_what_is_read_again_is_not_overwritten():
    blocks = make_blocks(graph_of(Function(lambda x: x.relu() + x)))
    assert [b.members for b in blocks] == [("x",), ("relu", "add")]


def test_what_a_view_still_shows_is_not_overwritten():
    def function(x):
        seen = x.relu()
        flat = seen.flatten(1)
        return (seen.tanh().flatten(1) + 1).mean() + flat.mean()

    blocks = make_blocks(graph_of(Function(function)))
    assert not any({"relu", "tanh"} <= set(b.members) for b in blocks)


def test_a_broadcast_is_not_written_over_the_smaller_input():
    graph = graph_of(Function(lambda x: x.mean(dim=(2, 3), keepdim=True) + x.relu()))
    assert ("mean", "add") not in [b.members[-2:] for b in make_blocks(graph)]


def test_other_widths_are_not_overwritten():
    graph = graph_of(Chain()).with_bits({"conv": 8})
    assert all(len(b.members) == 1 for b in make_blocks(graph))


def test_an_output_is_not_overwritten_by_the_last_step():
    def function(x):
        kept = x.tanh()
        return kept, kept.relu()

    assert [b.members for b in make_blocks(graph_of(Function(function)))][-1] == ("relu",)


def test_blocks_meet_at_a_step_that_needs_both():
    first, second, third = Block("a", 1, 0, 2), Block("b", 1, 2, 3), Block("c", 1, 3, 3)
    assert first.meets(second)
    assert second.meets(first)
    assert not first.meets(third)
    assert live_bytes([first, second, third]) == [1, 1, 2, 2]
    assert (live_bytes([]), peak_bytes([])) == ([], 0)
