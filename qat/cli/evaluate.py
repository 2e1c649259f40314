"""``qat evaluate`` evaluates the packed file of a run again and compares it with the record."""

from pathlib import Path

from qat.base.errors import RequestError
from qat.base.exit_codes import DONE, FAILED
from qat.records.folder import RunFolder
from qat.report.console import draw_progress
from qat.run.load import load_run
from qat.run.outputs import logits_of_test_set
from qat.run.progress import stage
from qat.run.results import NO_LABELS, accuracies
from qat.run.signs import note_signs


def evaluate_command(
    folder: Path, model_target: str | None = None, data_target: str | None = None
) -> int:
    """Print the accuracies of the packed network.

    Args:
        folder: Folder of the run.
        model_target: ``package.module:factory``, for a run of ``model=user``.
        data_target: ``package.module:function``, for a run of ``data=user``.

    Returns:
        0 if the accuracies equal those of the record, 1 otherwise.

    Raises:
        RequestError: If the folder has no run, or the run has no packed file or no labels.
    """
    if RunFolder(folder).state() == "absent":
        raise RequestError(f"{folder} holds no run.json")
    draw_progress()
    with stage("loading", verbose=False):
        run = load_run(folder, model_target, data_target)
    run.complain_of_unverified()
    if run.qnet is None:
        raise RequestError(f"{folder} is a float run: it has no packed file")
    if not run.prepared.data.test.labelled:
        raise RequestError(f"{folder}: {NO_LABELS}, so there is no accuracy to compare")
    warnings: list[str] = []
    with note_signs(run.qnet, "evaluation", warnings):
        logits = logits_of_test_set(run.prepared, run.qnet, "evaluation")
    for line in warnings:
        print(f"warning: {line}")
    same = True
    for name, value in accuracies(logits, run.prepared.images.labels).items():
        recorded = run.record.metrics.get(name)
        same &= recorded == value
        verdict = "as recorded" if recorded == value else f"recorded {recorded}"
        print(f"{name:<6} {value:.6f}  {verdict}")
    return DONE if same else FAILED
