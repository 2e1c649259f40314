"""The network in its runtime: exported, compared, evaluated, timed."""

from qat.run.deploy.deployment import deploy
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def deploy_stage(state: RunState) -> StageResult:
    """Export and measure the network, as far as the configuration asks for it."""
    logits = state.float_logits if state.logits is None else state.logits
    return deploy(state.prepared, state.net, state.qnet, logits, state.timed)
