"""MLflow and Weights & Biases beside TensorBoard, by Lightning's own loggers; offline by default.

A run of theirs is a run of ours: it carries the settings of the HPARAMS tab, the curves of the
training and the record's metrics, and one that was interrupted goes on in the same place.
"""

from lightning.pytorch.loggers import Logger, MLFlowLogger, WandbLogger

from qat.base.atomic import write_atomic
from qat.records.run_facts import run_facts
from qat.records.schema import RunRecord
from qat.run.prepared import Prepared
from qat.tracking.hparams import FINAL, hparam_values

MLFLOW_RUN = "mlflow_run_id"
"""File in a run's folder: which of MLflow's runs it is."""


def make_logger(prepared: Prepared) -> Logger | None:
    """The logger that ``tracking.logger`` names; None for none."""
    study = prepared.config.study.name or "qat"
    if prepared.tracking.logger == "mlflow":
        return _mlflow(prepared, study)
    if prepared.tracking.logger == "wandb":
        return WandbLogger(
            project=study,
            id=prepared.id,
            name=prepared.id,
            save_dir=str(prepared.folder),
            offline=prepared.tracking.offline,
            resume="allow",
        )
    return None


def log_record(prepared: Prepared, record: RunRecord) -> None:
    """Give a finished run's settings and metrics to the logger, if there is one."""
    logger = make_logger(prepared)
    if logger is None:
        return
    logger.log_hyperparams({**hparam_values(record), "name": run_facts(record).run_name})
    logger.log_metrics({f"{FINAL}/{name}": value for name, value in record.metrics.items()})
    logger.finalize("success")


def _mlflow(prepared: Prepared, study: str) -> MLFlowLogger:
    runs = prepared.folder.parent.absolute()
    noted = prepared.folder / MLFLOW_RUN
    store = runs / ".mlflow"
    store.mkdir(parents=True, exist_ok=True)
    logger = MLFlowLogger(
        experiment_name=study,
        run_name=prepared.id,
        tracking_uri=f"sqlite:///{store / 'mlflow.db'}",
        artifact_location=str(store / "artifacts"),
        run_id=noted.read_text(encoding="utf-8") if noted.exists() else None,
    )
    write_atomic(noted, str(logger.run_id))
    return logger
