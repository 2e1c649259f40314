"""What a run says of its runtime."""

from qat.report.runtime_lines import latency_lines, parity_lines

LOGITS = {"images": 200, "top1_agreement": 0.995, "within_one_step": 0.9, "sqnr_db": 40.0}
PARITY = {
    "gate": "passed",
    "reason": "",
    "execution": {
        "runtime": "onnxruntime",
        "version": "1.0",
        "instructions": "avx512_vnni",
        "may_saturate": False,
        "layers": 3,
        "float_layers": [],
    },
    "logits": {"optimizations on": LOGITS | {"max_steps": 2.0}},
    "first_diverging": {"optimizations on": {"name": "conv1"}},
    "reference": {"images": 4, "max_steps": 1.0},
    "accumulators": [
        {"name": "a", "worst_bits": 20, "overflows": [16]},
        {"name": "b", "worst_bits": 26, "overflows": [16, 24]},
    ],
}


def told(**changes):
    execution = PARITY["execution"] | changes.pop("execution", {})
    return parity_lines(PARITY | {"execution": execution} | changes)


def test_execution_parity_reference_and_accumulators_have_a_line_each():
    assert told() == [
        "onnxruntime 1.0, avx512_vnni: 3 of 3 layers run as integers",
        "parity passed; same class for 99.50 % of 200 images "
        "(optimizations on, largest difference 2 steps, first difference in conv1)",
        "integer-only reference: 4 images, at most 1 steps from the simulation",
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
    case = {"batch": 64, "threads": 2, "runtime": "onnxruntime", "version": "1.0", "repeats": 50}
    times = {"median_ms": 2.0, "lower_ms": 1.5, "upper_ms": 2.5}
    ratio = {"network": "network", "baseline": "float", "median": 1.5, "lower": 1.4, "upper": 1.6}
    rows = [case | times | {"network": name} for name in ("float", "network")]
    assert latency_lines({"rows": rows, "speedups": [case | ratio]}) == [
        "network 2.000 ms (1.500 to 2.500), float 2.000 ms (1.500 to 2.500): 1.50\u00d7 "
        "(1.40 to 1.60) as fast; batch 64, 2 threads, onnxruntime 1.0, medians and quartiles of 50"
    ]
