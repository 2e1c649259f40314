"""The stage of operations and times."""

from qat.run.stages.cost import cost_stage

MACS = 64 * 108 + 16 * 144 + 12  # pixels x weights of two convolutions, and the linear layer


def test_a_float_network_counts_at_32_bits_and_is_timed_alone(make_state):
    metrics = cost_stage(make_state("float")).metrics
    assert (metrics["macs"], metrics["bops"]) == (MACS, MACS * 32 * 32)
    assert metrics["float_eager_latency_ms"] > 0
    assert "simulated_latency_ms" not in metrics


def test_a_quantized_network_counts_at_the_plans_widths(make_quantized_state):
    state = make_quantized_state(scheme__first_last="8")
    metrics = cost_stage(state).metrics
    assert metrics["bops"] == (64 * 108 + 12) * 8 * 8 + 16 * 144 * 4 * 4
    assert metrics["average_weight_bits"] == (8 * (108 + 12) + 4 * 144) / (108 + 12 + 144)
    assert min(metrics["float_eager_latency_ms"], metrics["simulated_latency_ms"]) > 0
    assert state.results.seconds["timing"] > 0
