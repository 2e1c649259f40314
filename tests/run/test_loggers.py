"""MLflow and Weights & Biases beside TensorBoard."""

import pytest

from qat.cli.main import main
from qat.records.schema import RunRecord
from qat.records.store import read_record
from qat.run import loggers
from tests.command_line import SMALL

QUICK = [*SMALL, "mode=qat", "trainer.max_epochs=2", "tracking=mlflow"]


class Recorder:
    """A logger that keeps what it is given."""

    def __init__(self):
        self.settings, self.metrics, self.ends = {}, {}, []

    def log_hyperparams(self, settings):
        self.settings |= settings

    def log_metrics(self, metrics):
        self.metrics |= metrics

    def finalize(self, status):
        self.ends.append(status)


def test_a_finished_record_is_logged_under_the_names_of_the_tab(make_prepared, monkeypatch):
    prepared, recorder = make_prepared(), Recorder()
    record = RunRecord(prepared.id, "done", "static", 7, metrics={"top1": 0.5})
    monkeypatch.setattr(loggers, "make_logger", lambda prepared: recorder)
    loggers.log_record(prepared, record)
    assert recorder.metrics == {"final/top1": 0.5}
    assert (recorder.settings["mode"], str(recorder.settings["seed"])) == ("static", "7")
    assert recorder.ends == ["success"]


def test_no_logger_is_made_for_none(make_prepared):
    prepared = make_prepared()
    assert loggers.make_logger(prepared) is None
    loggers.log_record(prepared, RunRecord(prepared.id, "done", "static", 0))
    assert not prepared.folder.exists()


@pytest.mark.parametrize(("study", "project"), [(None, "qat"), ("widths", "widths")])
def test_a_run_of_wandb_has_the_runs_id_and_its_studys_name(
    make_prepared, monkeypatch, study, project
):
    monkeypatch.setattr("lightning.pytorch.loggers.WandbLogger", lambda **words: words)
    prepared = make_prepared(tracking__logger="wandb", study__name=study)
    words = loggers.make_logger(prepared)
    assert (words["project"], words["id"]) == (project, prepared.id)
    assert (words["offline"], words["resume"]) == (True, "allow")


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
