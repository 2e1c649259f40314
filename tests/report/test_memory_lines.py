"""Lines and tables from a memory.json written by hand; sizes in KiB."""

from qat.records.side_files.memory import MemoryFile
from qat.report.memory_lines import memory_lines, memory_markdown
from tests.side_files import MEMORY, UNPLANNED

MEMORY_FILE = MemoryFile.from_data(MEMORY)


def test_arena_layers_executions_and_packed_weights_have_a_line_each():
    execution = (
        "run inside its arena of 0.5 KiB: outputs equal bit for bit, workspace 1.0 KiB, allocated "
        "outside the arena 1.5 KiB (in ordinary execution 2.0 KiB)"
    )
    ways = ("ordinary", "interpreted", "prefetch", "unpacked_in_turn")
    assert memory_lines(MEMORY_FILE) == [
        "peak activations, batch 1, reuse: 3.0 KiB in float (at least 2.0 KiB), 3.0 KiB at the "
        "plan's widths (at least 2.0 KiB); in float, with one buffer for each activation: 4.0 KiB",
        "parameters and all activations, without reuse: float 5.0 KiB, quantized 0.6 KiB "
        "(87.5 % less), training with adam 5.0 KiB",
        f"float {execution}",
        f"network {execution}",
        "weights 1.0 KiB packed, at most 2 layers and 2.0 KiB unpacked at once (all weights in "
        f"float: 8.0 KiB); {', '.join(f'{way} 2.00 ms (1.00 to 3.00)' for way in ways)}, n = 20",
    ]


def test_the_tables_have_a_row_for_each_strategy_and_layer():
    text = memory_markdown(MEMORY_FILE)
    assert "| float | naive | 4.0 KiB | 2.0 KiB | 0.0 % |" in text
    assert "| inference, float | parameters | buffers | activations |" in text
    assert "| conv | 0.1 KiB | 0.0 KiB | 0.5 KiB | 0.0 KiB | 0.0 KiB |\n| total | 0.1 KiB |" in text


def test_a_network_without_a_plan_has_the_reason_alone():
    unplanned = MemoryFile.from_data(UNPLANNED)
    assert memory_lines(unplanned) == ["memory is not planned: it branches on a tensor"]
    assert memory_markdown(unplanned) == ""
