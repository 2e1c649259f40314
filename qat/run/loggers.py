"""MLflow and Weights & Biases beside TensorBoard, by Lightning's own loggers; offline by default.

One run of QATLab is one run of the logger. It has the settings of TensorBoard's HPARAMS tab, the
curves of the training, and the record's metrics. An interrupted run continues in the same run of
the logger.
"""

from typing import TYPE_CHECKING

from qat.base.atomic import write_atomic
from qat.records.run_facts import run_facts
from qat.records.schema import RunRecord
from qat.run.prepared import Prepared

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger, MLFlowLogger

MLFLOW_RUN = "mlflow_run_id"
"""File in a run's folder that holds the id of its MLflow run."""


def make_logger(prepared: Prepared) -> "Logger | None":
    """The logger that ``tracking.logger`` names; None for ``none``."""
    study = prepared.config.study.name or "qat"
    if prepared.tracking.logger == "mlflow":
        return _mlflow(prepared, study)
    if prepared.tracking.logger == "wandb":
        from lightning.pytorch.loggers import WandbLogger

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
    """Give a finished run's settings and metrics to the logger, if there is one.

    Args:
        prepared: The run, with the name of its logger.
        record: The run's complete record.
    """
    logger = make_logger(prepared)
    if logger is None:
        return
    from qat.tracking.hparams import FINAL, hparam_values  # imports tensorboard

    logger.log_hyperparams({**hparam_values(record), "name": run_facts(record).run_name})
    logger.log_metrics({f"{FINAL}/{name}": value for name, value in record.metrics.items()})
    logger.finalize("success")


def _mlflow(prepared: Prepared, study: str) -> "MLFlowLogger":
    from lightning.pytorch.loggers import MLFlowLogger

    runs = prepared.folder.parent.absolute()
    id_file = prepared.folder / MLFLOW_RUN
    store = runs / ".mlflow"
    store.mkdir(parents=True, exist_ok=True)
    logger = MLFlowLogger(
        experiment_name=study,
        run_name=prepared.id,
        tracking_uri=f"sqlite:///{store / 'mlflow.db'}",
        artifact_location=str(store / "artifacts"),
        run_id=id_file.read_text(encoding="utf-8") if id_file.exists() else None,
    )
    write_atomic(id_file, str(logger.run_id))
    return logger
