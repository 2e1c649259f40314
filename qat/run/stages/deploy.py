"""Deployment: the network is exported, and compared, evaluated and timed in its runtime."""

from qat.run.results import OF_RUNTIME
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def deploy_stage(state: RunState) -> StageResult:
    """Export and measure the network as the configuration says."""
    reason = state.prepared.mode.no_export_reason
    if reason is not None:
        return StageResult(not_measured=dict.fromkeys(OF_RUNTIME, reason))
    from qat.run.deploy.deployment import deploy  # imports onnx

    logits = state.float_logits if state.logits is None else state.logits
    return deploy(state.prepared, state.original.net, state.qnet, logits, state.stage)
