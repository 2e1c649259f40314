"""The place of methods between calibration and training."""

from qat.run.stage_result import StageResult
from qat.run.stages.ptq import ptq_stage


def test_the_network_stays_as_it_is(make_quantized_state):
    state = make_quantized_state()
    qnet = state.qnet
    assert ptq_stage(state) == StageResult()
    assert state.qnet is qnet
