"""The cost of the networks: operations, and times in torch."""

from qat.run.results import costs, times
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def cost_stage(state: RunState) -> StageResult:
    """Count MACs and bit operations of the plan, and time both networks in turn."""
    plan = None if state.qnet is None else state.plan
    result = StageResult(*costs(state.net, plan, state.prepared.images.example()))
    nets = {"float_eager_latency_ms": state.original.net}
    if state.qnet is not None:
        nets["simulated_latency_ms"] = state.qnet
    with state.stage("timing"):
        result.metrics |= times(state.prepared.timing, state.prepared.data, nets)
    return result
