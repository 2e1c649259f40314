"""qat parity and qat measure: what they write into the record."""

import pytest

from qat.base.errors import RequestError
from qat.cli.remeasure import _keep, measure_command, parity_command
from qat.records.folder import RunFolder
from qat.run.stage_result import StageResult
from tests.stored_runs import a_record, store


def test_new_results_replace_old_ones_and_the_rest_stays(tmp_path):
    record = a_record(
        gate="failed",
        metrics={"top1": 0.5, "latency_ms": 3.0, "speedup": 2.0},
        unmeasured={"parity_max_steps": "no runtime"},
    )
    path, record = store(tmp_path, record, layers=[])
    (path / "latency.json").write_text("{}")
    deployed = StageResult(
        metrics={"speedup": 4.0, "parity_max_steps": 1.0},
        not_measured={"latency_ms": "size only"},
        files={"latency": path / "latency.json", "network": path / "network.onnx"},
        gate="passed",
    )
    renewed = _keep(RunFolder(path), record, deployed)
    assert renewed.metrics == {"top1": 0.5, "speedup": 4.0, "parity_max_steps": 1.0}
    assert renewed.unmeasured == {"latency_ms": "size only"}
    assert (renewed.gate, sorted(renewed.artifacts)) == ("passed", ["latency", "layers"])
    assert renewed.artifacts["latency"].bytes == 2
    assert RunFolder(path).read() == renewed


def test_a_folder_without_a_run_is_refused(tmp_path):
    for command in (lambda: parity_command(tmp_path), lambda: measure_command(tmp_path, [], [])):
        with pytest.raises(RequestError, match="holds no run"):
            command()
