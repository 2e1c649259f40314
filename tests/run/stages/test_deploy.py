"""The stage of export and runtime."""

import onnx
import pytest

from qat.run.stages.deploy import deploy_stage

FIGURES = {"runtime_top1", "latency_ms", "float_latency_ms", "speedup"}


def test_a_run_that_exports_nothing_has_reasons(make_quantized_state):
    result = deploy_stage(make_quantized_state())
    assert result.not_measured.keys() == FIGURES
    assert all("scheme.placement=integer" in why for why in result.not_measured.values())
    assert not result.files


def test_a_run_without_an_export_names_the_setting(make_quantized_state):
    result = deploy_stage(make_quantized_state(export__onnx="never"))
    assert result.not_measured == dict.fromkeys(FIGURES, "export=none")


@pytest.mark.slow
def test_a_run_without_a_runtime_exports_alone(make_quantized_state):
    state = make_quantized_state(scheme__placement="integer", measure__runtime="none")
    result = deploy_stage(state)
    assert result.not_measured == dict.fromkeys(FIGURES, "measure.runtime=none")
    assert result.files.keys() == {"float", "network"}
    operators = {node.op_type for node in onnx.load(result.files["network"]).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear", "Conv"} <= operators
    assert state.results.seconds.keys() == {"export"}
