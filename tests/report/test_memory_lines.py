"""Lines and tables from a memory.json written by hand; sizes in KiB."""

from qat.report.memory_lines import memory_lines, memory_markdown


def size(kib):
    return {"bytes": 1024 * kib, "lower_bound_bytes": 512 * kib}


def layers(kib, **changes):
    row = {"parameters": 1024 * kib, "activations": 0}
    rows = [{"name": "fc", **row}]
    return {"rows": rows, "totals": row, "total": 1024 * kib, **changes}


MEMORY = {
    "batch": 2,
    "strategy": "reuse",
    "optimizer": "sgd",
    "networks": {
        "float": {
            "arena": size(8),
            "strategies": {"naive": size(32) | {"saving_percent": 0.0}},
        },
        "network": {
            "arena": size(2),
            "strategies": {},
            "execution": {
                "arena_bytes": 2048,
                "workspace_bytes": 1024,
                "allocated_bytes": 512,
                "ordinary_allocated_bytes": 4096,
            },
        },
    },
    "inference_float": layers(40),
    "inference": layers(10, saving_percent=75.0),
    "training": layers(160),
}


def test_arena_layers_and_execution_have_a_line_each():
    assert memory_lines(MEMORY) == [
        "peak activations, batch 2, reuse: 8.0 KiB in float (at least 4.0 KiB), 2.0 KiB at the "
        "plan's widths (at least 1.0 KiB); in float, with one buffer for each activation: 32.0 KiB",
        "parameters and all activations, without reuse: float 40.0 KiB, quantized 10.0 KiB "
        "(75.0 % less), training with sgd 160.0 KiB",
        "network run inside its arena of 2.0 KiB: outputs equal bit for bit, workspace 1.0 KiB, "
        "allocated outside the arena 0.5 KiB (in ordinary execution 4.0 KiB)",
    ]


def test_packed_weights_have_a_line():
    latency = {"ordinary": {"median_ms": 2.0, "lower_ms": 1.5, "upper_ms": 2.5, "repeats": 30}}
    prefetch = {
        "packed_weight_bytes": 1024,
        "most_unpacked": 2,
        "peak_unpacked_bytes": 3072,
        "float_weight_bytes": 8192,
        "latency": latency,
    }
    assert memory_lines(MEMORY | {"prefetch": prefetch})[-1] == (
        "weights 1.0 KiB packed, at most 2 layers and 3.0 KiB unpacked at once (all weights in "
        "float: 8.0 KiB); ordinary 2.00 ms (1.50 to 2.50), n = 30"
    )


def test_the_tables_have_a_row_for_each_strategy_and_layer():
    text = memory_markdown(MEMORY)
    assert "| float | naive | 32.0 KiB | 16.0 KiB | 0.0 % |" in text
    assert "| inference, float | parameters | activations |" in text
    assert "| fc | 160.0 KiB | 0.0 KiB |\n| total | 160.0 KiB | 0.0 KiB |" in text


def test_a_network_without_a_plan_has_the_reason_alone():
    unplanned = {"unplanned": "control flow depends on values"}
    assert memory_lines(unplanned) == ["memory is not planned: control flow depends on values"]
    assert memory_markdown(unplanned) == ""
