"""MLflow and Weights & Biases beside TensorBoard."""

import pytest

from qat.cli.main import main
from qat.records.store import read_record
from qat.run import request_checks
from tests.command_line import SMALL

QUICK = [*SMALL, "mode=qat", "trainer.max_epochs=2", "tracking=mlflow"]


def test_a_logger_that_is_not_installed_is_refused_with_the_cure(monkeypatch):
    monkeypatch.setattr(request_checks, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'qatlab\[wandb\]'"):
        request_checks.check_logger("wandb")
    request_checks.check_logger("none")


def test_an_unknown_logger_is_refused(capsys):
    assert main(["run", *SMALL, "tracking.logger=neptune"]) == 2
    assert "none, mlflow, wandb" in capsys.readouterr().err


@pytest.mark.mlflow
def test_a_run_is_one_run_of_mlflow_without_a_server(tmp_path, monkeypatch):
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv("QAT_RUNS", str(tmp_path))
    assert main(["run", *QUICK]) == 0
    assert main(["run", *QUICK, "force=true"]) == 0  # goes on in the same place
    [path] = tmp_path.glob("*/run.json")
    record = read_record(path)
    client = MlflowClient(f"sqlite:///{tmp_path / '.mlflow' / 'mlflow.db'}")
    [experiment] = [e for e in client.search_experiments() if e.name == "qat"]
    [run] = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == record.id
    assert run.info.status == "FINISHED"
    assert run.data.metrics["final/top1"] == record.metrics["top1"]
    assert run.data.params["weight_bits"] == "8"
    losses = client.get_metric_history(run.info.run_id, "val/loss")
    assert len(losses) >= 2
