"""What a run says of its runtime."""

from qat.records.side_files.latency import LatencyFile
from qat.records.side_files.parity import ParityFile
from qat.report.runtime_lines import latency_lines, parity_lines
from tests.side_files import LATENCY, LOGITS, PARITY


def told(**changes):
    execution = PARITY["execution"] | changes.pop("execution", {})
    return parity_lines(ParityFile.from_data(PARITY | {"execution": execution} | changes))


def test_execution_parity_reference_and_accumulators_have_a_line_each():
    assert told() == [
        "onnxruntime 1.0, avx512_vnni: 3 of 3 layers run as integers",
        "parity passed; same class for 99.50 % of 200 images "
        "(optimizations on, largest difference 2 steps, first difference in conv1)",
        "integer-only reference: 4 images, at most 1 step from the simulation",
        "accumulators: 26 bits at worst (b); 16 bits overflow in 2 of 2 layers; "
        "24 bits overflow in 1 of 2 layers",
    ]


def test_layers_that_run_in_float_are_named_with_their_label():
    line = told(execution={"float_layers": ["head"]})[0]
    assert "2 of 3 layers run as integers; simulated in float by the runtime: size only (head)" in (
        line
    )


def test_a_cpu_that_may_saturate_is_told_with_the_way_out():
    lines = told(execution={"instructions": None, "may_saturate": True})
    assert "no VNNI" in lines[0]
    assert "scheme.weight.bits=7" in lines[1]


def test_dynamic_ranges_have_no_steps_and_no_accumulators():
    nothing = {"first_diverging": {}, "reference": None, "accumulators": []}
    lines = told(logits={"optimizations on": LOGITS | {"max_steps": None}}, **nothing)
    assert lines[1:] == ["parity passed; same class for 99.50 % of 200 images (optimizations on)"]


def test_a_speedup_has_both_times_and_their_spread():
    assert latency_lines(LatencyFile.from_data(LATENCY)) == [
        "network 2.000 ms (1.500 to 2.500), float 2.000 ms (1.500 to 2.500): 1.50\u00d7 "
        "(1.40 to 1.60) as fast; batch 64, 2 threads, onnxruntime 1.0, medians and quartiles of 50"
    ]
